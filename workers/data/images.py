"""What a run wants of images: one split, seen in one way. No torch.

A data source (`workers.data.sources`) gives them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
    from torch import Tensor

Split = Literal["train", "val"]
Preprocess = Callable[["Tensor", "np.random.Generator | None"], "Tensor"]
"""From an RGB image (3, S, S), 0 to 255, to the input; the generator is None in an eval."""


@dataclass(frozen=True)
class SplitRequest:
    """One split: the side of the square input, what makes the input, the seed of augmentation.

    `data_root` is the folder of this worker below which all data is.
    """

    split: Split
    image_size: int
    seed: int
    preprocess: Preprocess
    data_root: Path


class ImageDataset(Protocol):
    """Labelled images of one split."""

    class_names: tuple[str, ...]

    def __len__(self) -> int: ...

    def sample(self, epoch: int, index: int) -> "tuple[Tensor, int]":
        """Input (3, S, S) float32 and class; train randomness is of (seed, epoch, index) alone."""

    def label_of(self, index: int) -> int:
        """The class of one image."""

    def name_of(self, index: int) -> str:
        """What a person calls one image."""

    def picture(self, index: int) -> "Image.Image":
        """One image as it is stored."""
