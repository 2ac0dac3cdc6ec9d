"""The data sets: the digits in the package, and folders of images below the data root."""

from importlib.resources import files
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import functional as F

from service.contract.specs import DataSpec
from workers.data.errors import InvalidData
from workers.data.root import check_still, data_path
from workers.data.transforms import augmented, centred, finished, resized_crop

Split = Literal["train", "val"]
_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}


class ImageDataset(Protocol):
    """Labelled images of one split."""

    class_names: tuple[str, ...]

    def __len__(self) -> int: ...

    def sample(self, epoch: int, index: int) -> tuple[Tensor, int]:
        """Input (3, S, S) float32 and class; train randomness is of (seed, epoch, index) alone."""

    def label_of(self, index: int) -> int:
        """The class of one image."""

    def name_of(self, index: int) -> str:
        """What a person calls one image."""

    def picture(self, index: int) -> Image.Image:
        """One image as it is stored."""


class Digits:
    """1,797 handwritten digits of the UCI set (see digits.md); every fifth image validates."""

    class_names = tuple(str(digit) for digit in range(10))

    def __init__(
        self,
        split: Split,
        preprocessing: str,
        image_size: int,
        seed: int,
        mean: Tensor | None = None,
    ) -> None:
        with (files("workers.data") / "digits.npz").open("rb") as file:
            stored = np.load(file)
            images, labels = stored["images"], stored["labels"]
        chosen = (np.arange(len(labels)) % 5 == 0) == (split == "val")
        self._images = torch.from_numpy(images[chosen].astype(np.float32) * (255 / 16))
        self._labels = labels[chosen]
        self._places = np.flatnonzero(chosen)
        self._split, self._preprocessing = split, preprocessing
        self._size, self._seed, self._mean = image_size, seed, mean

    def __len__(self) -> int:
        return len(self._labels)

    def sample(self, epoch: int, index: int) -> tuple[Tensor, int]:
        """A digit at `image_size`; in training shifted and scaled a little, never mirrored."""
        image = self._images[index].expand(3, -1, -1)
        image = F.resize(image, [self._size, self._size], antialias=False).round()
        draw = None
        if self._split == "train":
            draw = np.random.default_rng((self._seed, epoch, index))
            image = resized_crop(image, self._size, draw, area=(0.8, 1.0), ratio=(0.9, 1.1))
        return finished(image, self._preprocessing, draw, self._mean), int(self._labels[index])

    def label_of(self, index: int) -> int:
        """The class of a digit."""
        return int(self._labels[index])

    def name_of(self, index: int) -> str:
        """Which one of the stored digits it is."""
        return f"digit {self._places[index]}"

    def picture(self, index: int) -> Image.Image:
        """The digit, eight times as wide."""
        grey = self._images[index].round().byte().numpy()
        return Image.fromarray(grey).resize((64, 64), Image.Resampling.NEAREST)


class ImageFolder:
    """Images in one sub-folder for each class, sorted by name."""

    def __init__(
        self,
        folder: Path,
        data_root: Path,
        split: Split,
        preprocessing: str,
        image_size: int,
        seed: int,
        mean: Tensor | None = None,
    ) -> None:
        if not folder.is_dir():
            hint = "" if any(data_root.iterdir()) else f"; {data_root} is empty: is it mounted?"
            raise InvalidData(f"{folder.name}: there is no such folder below the data root{hint}")
        classes = sorted(path for path in folder.iterdir() if path.is_dir())
        self.class_names = tuple(path.name for path in classes)
        self._samples = [
            (path, label)
            for label, of_class in enumerate(classes)
            for path in sorted(of_class.rglob("*"))
            if path.suffix.lower() in _SUFFIXES
        ]
        for label, name in enumerate(self.class_names):
            if not any(of == label for _, of in self._samples):
                raise InvalidData(f"{folder.name}/{name} holds no image; add some or remove it")
        if not self._samples:
            raise InvalidData(f"{folder.name} needs one sub-folder of images for each class")
        self._data_root, self._split, self._preprocessing = data_root, split, preprocessing
        self._size, self._seed, self._mean = image_size, seed, mean

    def __len__(self) -> int:
        return len(self._samples)

    def sample(self, epoch: int, index: int) -> tuple[Tensor, int]:
        """One image; raises InvalidData with its name if it does not decode, NoDataRoot."""
        path, label = self._samples[index]
        try:
            with Image.open(path) as opened:
                image = F.pil_to_tensor(opened.convert("RGB"))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            check_still(self._data_root)
            named = f"{path.parent.name}/{path.name}"
            raise InvalidData(f"{named} is no readable image: replace or remove it") from error
        draw = None
        if self._split == "val":
            image = centred(image, self._size)
        else:
            draw = np.random.default_rng((self._seed, epoch, index))
            image = augmented(image, self._size, draw)
        return finished(image, self._preprocessing, draw, self._mean), label

    def label_of(self, index: int) -> int:
        """The class of an image."""
        return self._samples[index][1]

    def name_of(self, index: int) -> str:
        """Its path below the split's folder."""
        path, label = self._samples[index]
        folder = next(p for p in path.parents if p.name == self.class_names[label])
        return str(path.relative_to(folder.parent))

    def picture(self, index: int) -> Image.Image:
        """The image in RGB."""
        with Image.open(self._samples[index][0]) as opened:
            return opened.convert("RGB")


def open_dataset(
    data: DataSpec,
    data_root: Path,
    split: Split,
    *,
    preprocessing: str,
    image_size: int,
    seed: int,
    mean: Tensor | None = None,
) -> ImageDataset:
    """One split of the named data set or of the folders below the data root.

    `mean` (3, S, S) goes with `bgr255_minus_mean`, and with no other preprocessing. Raises
    InvalidData, NoDataRoot.
    """
    if preprocessing == "bgr255_minus_mean" and mean is None:
        raise InvalidData("preprocessing bgr255_minus_mean needs the mean image of the weights")
    if data.dataset is not None:
        if data.dataset != "digits":
            raise InvalidData(f"there is no data set {data.dataset!r}; there is digits")
        return Digits(split, preprocessing, image_size, seed, mean)
    relative = data.train_dir if split == "train" else data.val_dir
    assert relative is not None
    folder = data_path(data_root, relative)
    return ImageFolder(folder, data_root, split, preprocessing, image_size, seed, mean)
