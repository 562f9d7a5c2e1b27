"""Words for notes."""


def counted(number: int, word: str) -> str:
    """`1 row` or `2,067 rows`."""
    return f"{number:,} {word if number == 1 else word + 's'}"
