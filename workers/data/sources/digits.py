"""The data set of 1,797 handwritten digits (see digits.md); every fifth is for validation."""

from importlib.resources import files

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from workers.data.augmentation import draw_lighting, without_augmentation
from workers.data.batch_transform import input_of
from workers.data.cuts import RandomCut, part_of
from workers.data.images import Pixels, SplitRequest
from workers.data.transforms import batch_transform_of

_SHOWN_PIXELS = 64


class Digits:
    """One split of the digits, which are part of the package."""

    class_names = tuple(str(digit) for digit in range(10))
    in_memory = True

    def __init__(self, request: SplitRequest) -> None:
        with (files("workers.data.sources") / "digits.npz").open("rb") as file:
            stored = np.load(file)
            images, labels = stored["images"], stored["labels"]
        in_split = (np.arange(len(labels)) % 5 == 0) == (request.split == "val")
        self._images = torch.from_numpy(images[in_split].astype(np.float32) * (255 / 16))
        self._labels = labels[in_split]
        self._numbers = np.flatnonzero(in_split)
        self._request = request
        self.batch_transform = batch_transform_of(request.preprocess)

    def __len__(self) -> int:
        return len(self._labels)

    def sample(self, epoch: int, index: int) -> tuple[Tensor, int]:
        """A digit at `image_size`; in training with a small random shift and scale, no flip."""
        pixels, draw = self._cut(epoch, index)
        if self.batch_transform is not None:
            return input_of(pixels, self.batch_transform)
        return self._request.preprocess(pixels.image, draw), pixels.label

    def pixels(self, epoch: int, index: int) -> Pixels:
        """A digit before the preprocessing."""
        return self._cut(epoch, index)[0]

    def label_of(self, index: int) -> int:
        """The class of a digit."""
        return int(self._labels[index])

    def name_of(self, index: int) -> str:
        """The number of the digit in the whole data set, such as `digit 12`."""
        return f"digit {self._numbers[index]}"

    def picture(self, index: int) -> Image.Image:
        """The digit enlarged to 64 x 64 pixels."""
        grey = self._images[index].round().byte().numpy()
        size = (_SHOWN_PIXELS, _SHOWN_PIXELS)
        return Image.fromarray(grey).resize(size, Image.Resampling.NEAREST)

    def _cut(self, epoch: int, index: int) -> tuple[Pixels, np.random.Generator | None]:
        size = self._request.image_size
        image = self._images[index].expand(3, -1, -1)
        image = F.interpolate(image[None], (size, size), mode="bilinear")[0].round().byte()
        if not self._request.is_augmented:
            return Pixels(image, int(self._labels[index]), without_augmentation()), None
        draw = np.random.default_rng((self._request.seed, epoch, index))
        cut = RandomCut(size, draw, area=(0.8, 1.0), ratio=(0.9, 1.1))
        image = cut.resized(part_of(image, cut.box(size, size)))
        return Pixels(image, int(self._labels[index]), draw_lighting(draw)), draw
