"""In how many equal parts images can be worked through, for sentences that say what to change."""


def fitting_parts(images: int, parts: int) -> str:
    """The numbers of equal parts that are nearest to `parts`, such as `2 or 4`."""
    below = next(each for each in range(min(parts, images), 0, -1) if images % each == 0)
    above = next((each for each in range(parts, images + 1) if images % each == 0), below)
    return str(below) if above == below else f"{below} or {above}"


def parts_of_at_most(images: int, limit: int) -> int:
    """The fewest equal parts that have at most `limit` images each; `limit` is 1 or more."""
    fewest = -(-images // limit)
    return next(each for each in range(fewest, images + 1) if images % each == 0)
