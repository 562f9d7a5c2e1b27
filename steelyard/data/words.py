"""Words for notes."""


def counted(number: int, word: str, several: str = "") -> str:
    """`1 row` or `2,067 rows`; `several` where the plural is no mere s."""
    return f"{number:,} {word if number == 1 else several or word + 's'}"
