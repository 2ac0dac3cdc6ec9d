"""Numbers with their nouns, for sentences."""


def count_text(number: int, one: str, many: str | None = None) -> str:
    """Such as `1 class` and `2 images`; `many` is `one` with an s if it is left out."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
