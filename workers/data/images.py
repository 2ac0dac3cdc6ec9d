"""The interface between data sources and runs: one split of a data set. Imports no torch.

The data sources are in `workers.data.sources`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image
    from torch import Tensor

    from workers.data.batch_transform import BatchTransform
    from workers.data.device_jpegs import DeviceJpeg

Split = Literal["train", "val"]
Preprocess = Callable[["Tensor", "np.random.Generator | None"], "Tensor"]
"""Maps an RGB image (3, S, S), 0 to 255, to the network's input; an eval has no generator."""


@dataclass(frozen=True)
class SplitRequest:
    """A request for one split of a data set.

    `image_size` is the side of the square input in pixels, `seed` that of the augmentation,
    `preprocess` makes the network's input, and `data_root` is this worker's data root. `remark`
    takes a sentence about the split for the user, such as what was passed over. Images of "train"
    that are not to be augmented are cut as those of "val" are, and have no randomness.
    """

    split: Split
    image_size: int
    seed: int
    preprocess: Preprocess
    data_root: Path
    remark: Callable[[str], None] = lambda _: None
    augments: bool = True

    @property
    def is_augmented(self) -> bool:
        """Whether each image is another one in each epoch."""
        return self.split == "train" and self.augments


class ImageDataset(Protocol):
    """Labelled images of one split; with `in_memory = True`, a sample reads no file."""

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


class Pixels(NamedTuple):
    """One image as cut by its data source, with the random numbers of what is left to do.

    `image` is RGB, uint8 (3, S, S). `draws`, float32, are the columns of
    `workers.data.augmentation`; an image without augmentation has none.
    """

    image: "Tensor"
    label: int
    draws: "NDArray[np.float32]"


class EncodedPixels(NamedTuple):
    """One image as its file, which is left to be decoded, with what `Pixels` has beside."""

    jpeg: "DeviceJpeg"
    label: int
    draws: "NDArray[np.float32]"


@runtime_checkable
class PixelImages(ImageDataset, Protocol):
    """Images that are augmented and preprocessed after their source has cut them, by the batch.

    `batch_transform` does it on the device of the batch. It is None where the preprocessing is a
    recipe's own function of one image: then `sample` alone gives the network's input.
    """

    batch_transform: "BatchTransform | None"

    def pixels(self, epoch: int, index: int) -> Pixels:
        """One image, cut to `image_size`; in training with the draws of its augmentation.

        They depend on the seed, `epoch` and `index` alone. Raises InvalidData, NoDataRoot.
        """


@runtime_checkable
class EncodedImages(PixelImages, Protocol):
    """Images of which JPEG files can be decoded on the device of the batch."""

    def encoded(self, epoch: int, index: int) -> EncodedPixels | Pixels:
        """One image of a training as its file, if a device can decode that, else as pixels.

        Label and draws are those of `pixels`, and the part of the picture is, too. Raises
        InvalidData, NoDataRoot.
        """


def is_in_memory(images: ImageDataset) -> bool:
    """Whether the images say that a sample reads no file and decodes nothing."""
    return getattr(images, "in_memory", False) is True
