"""What images of folders and of packs have in common: each is a picture that is cut."""

from abc import ABC, abstractmethod

import numpy as np
from PIL import Image
from torch import Tensor

from workers.data.augmentation import augmented, draw_augmentation, without_augmentation
from workers.data.batch_transform import input_of
from workers.data.cuts import CentreCut, Cut, RandomCut
from workers.data.device_jpegs import DeviceJpeg
from workers.data.images import EncodedPixels, Pixels, SplitRequest
from workers.data.transforms import batch_transform_of


class Pictures(ABC):
    """The images of a split that have a picture each, of any size, and a class."""

    def __init__(self, request: SplitRequest) -> None:
        self._request = request
        self.batch_transform = batch_transform_of(request.preprocess)

    @abstractmethod
    def label_of(self, index: int) -> int:
        """The class of an image."""

    @abstractmethod
    def picture(self, index: int) -> Image.Image:
        """The image in RGB, without preprocessing; raises InvalidData, NoDataRoot."""

    @abstractmethod
    def cut(self, index: int, cut: Cut) -> Tensor:
        """The image (3, S, S) of a cut, uint8, RGB; raises InvalidData, NoDataRoot."""

    @abstractmethod
    def jpeg_or_cut(self, index: int, cut: Cut) -> DeviceJpeg | Tensor:
        """The image as a file that a device can decode, else its cut; it raises what `cut` does."""

    def sample(self, epoch: int, index: int) -> tuple[Tensor, int]:
        """One image; raises InvalidData with its name if it cannot be decoded, and NoDataRoot."""
        pixels, draw = self._drawn(epoch, index)
        if self.batch_transform is not None:
            return input_of(pixels, self.batch_transform)
        return self._request.preprocess(augmented(pixels).image.contiguous(), draw), pixels.label

    def pixels(self, epoch: int, index: int) -> Pixels:
        """One image before jitter, flip and preprocessing; raises InvalidData, NoDataRoot."""
        return self._drawn(epoch, index)[0]

    def encoded(self, epoch: int, index: int) -> EncodedPixels | Pixels:
        """One image of a training as its file, where a device can decode it, else as pixels.

        Raises InvalidData, NoDataRoot.
        """
        draw = self._generator(epoch, index)
        image = self.jpeg_or_cut(index, RandomCut(self._request.image_size, draw))
        label, draws = self.label_of(index), draw_augmentation(draw)
        if isinstance(image, Tensor):
            return Pixels(image, label, draws)
        return EncodedPixels(image, label, draws)

    def _generator(self, epoch: int, index: int) -> np.random.Generator:
        return np.random.default_rng((self._request.seed, epoch, index))

    def _drawn(self, epoch: int, index: int) -> tuple[Pixels, np.random.Generator | None]:
        label, request = self.label_of(index), self._request
        if not request.is_augmented:
            centre = self.cut(index, CentreCut(request.image_size))
            return Pixels(centre, label, without_augmentation()), None
        draw = self._generator(epoch, index)
        image = self.cut(index, RandomCut(request.image_size, draw))
        return Pixels(image, label, draw_augmentation(draw)), draw
