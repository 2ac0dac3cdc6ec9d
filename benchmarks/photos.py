"""Pictures with the spectrum of photos, from a seeded generator."""

from pathlib import Path

import numpy as np
from PIL import Image

_PITCHES = (256, 128, 64, 32, 16, 8, 4, 2)
_FALL, _GREYNESS, _GRAIN = 0.75, 0.8, 3.0
_SPREAD, _MEAN = 55.0, 115.0


def write_photos(folder: Path, number: int, size: tuple[int, int]) -> None:
    """JPEGs of quality 90 of a size (width, height), alike in every run."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(0)
    for index in range(number):
        photo(draw, *size).save(folder / f"{index}.jpg", quality=90)


def photo(draw: np.random.Generator, width: int, height: int) -> Image.Image:
    """Clouds at every scale, the coarse ones strongest, mostly grey, and a little grain."""
    pixels = np.zeros((height, width, 3), np.float32)
    for pitch in _PITCHES:
        shape = (max(2, -(-height // pitch)), max(2, -(-width // pitch)), 3)
        cells = draw.random(shape, dtype=np.float32) - 0.5
        cells = _GREYNESS * cells.mean(2, keepdims=True) + (1 - _GREYNESS) * cells
        for channel in range(3):
            cloud = Image.fromarray(cells[..., channel])
            enlarged = cloud.resize((width, height), Image.Resampling.BICUBIC)
            pixels[..., channel] += np.asarray(enlarged) * pitch**_FALL
    pixels = (pixels - pixels.mean()) / pixels.std() * _SPREAD + _MEAN
    pixels += draw.normal(0, _GRAIN, (height, width, 1))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
