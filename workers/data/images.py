"""The interface between data sources and runs: one split of a data set. Imports no torch.

The data sources are in `workers.data.sources`.
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
"""Maps an RGB image (3, S, S), 0 to 255, to the network's input; an eval has no generator."""


@dataclass(frozen=True)
class SplitRequest:
    """A request for one split of a data set.

    `image_size` is the side of the square input in pixels, `seed` that of the augmentation,
    `preprocess` makes the network's input, and `data_root` is this worker's data root. `remark`
    takes a sentence about the split for the user, such as what was passed over.
    """

    split: Split
    image_size: int
    seed: int
    preprocess: Preprocess
    data_root: Path
    remark: Callable[[str], None] = lambda _: None


class ImageDataset(Protocol):
    """Labelled images of one split."""

    class_names: tuple[str, ...]

    def __len__(self) -> int: ...

    def sample(self, epoch: int, index: int) -> "tuple[Tensor, int]":
        """The network's input (3, S, S) float32, and the class.

        In training its randomness depends on the seed, `epoch` and `index` alone.
        """

    def label_of(self, index: int) -> int:
        """The class of one image."""

    def name_of(self, index: int) -> str:
        """A name of one image for people, such as its file name."""

    def picture(self, index: int) -> "Image.Image":
        """One image without preprocessing."""
