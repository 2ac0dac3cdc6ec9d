"""Whether a validation's error is one of guesses, as far as so many images can tell."""

from math import sqrt

_DEVIATIONS = 2.0
_TOO_WIDE = 0.5
"""A share of the error of guesses; where the noise is wider, a validation tells nothing."""


def is_at_chance(error: float, classes: int, images: int) -> bool:
    """Whether top-1 `error` (0 to 1) over so many images is that of guesses, or above it.

    Guesses have `(classes - 1) / classes`, and noise of `sqrt(p * (1 - p) / images)`. False where
    the images are too few to tell.
    """
    if classes < 2:
        return False
    chance = error_by_chance(classes)
    noise = _DEVIATIONS * sqrt(chance * (1 - chance) / images)
    return noise <= chance * _TOO_WIDE and error >= chance - noise


def error_by_chance(classes: int) -> float:
    """The top-1 error of guesses, if all classes have as many images."""
    return (classes - 1) / classes
