"""The one error a person can cause; everything else that is raised is our bug."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """Something the user gave cannot be used: says what was expected, what came and what to do.

    The command line shows it as one line and exits with status 2.
    """


def suggest(word: str, choices: Iterable[str]) -> str:
    """`; did you mean 'income'?` when a choice is close to the word, else the choices, else nothing."""
    names = [str(choice) for choice in choices]
    close = get_close_matches(str(word), names, n=1, cutoff=0.6) or [
        name for name in names if name.lower() == str(word).lower()
    ]
    if close:
        return f"; did you mean '{close[0]}'?"
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"; there is: {shown}"
