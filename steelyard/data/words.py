"""Words for notes."""


def counted(number: int, word: str, several: str = "") -> str:
    """`1 row` or `2,067 rows`; `several` where the plural is no mere s."""
    return f"{number:,} {word if number == 1 else several or word + 's'}"


def listed(names: tuple[str, ...], most: int = 4) -> str:
    """`a, b`, or `a, b, c and 11 more`."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
