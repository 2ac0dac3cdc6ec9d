"""What images of folders and of packs have in common: each is a picture that is cut."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import functional as F

from workers.data.augmentation import augmented, draw_augmentation, without_augmentation
from workers.data.batch_transform import input_of
from workers.data.images import Pixels, SplitRequest
from workers.data.transforms import batch_transform_of, resize_and_crop, resized_crop


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

    def sample(self, epoch: int, index: int) -> tuple[Tensor, int]:
        """One image; raises InvalidData with its name if it cannot be decoded, and NoDataRoot."""
        pixels, draw = self._cut(epoch, index)
        if self.batch_transform is not None:
            return input_of(pixels, self.batch_transform)
        image = np.ascontiguousarray(augmented(pixels).image.transpose(2, 0, 1))
        return self._request.preprocess(torch.from_numpy(image), draw), pixels.label

    def pixels(self, epoch: int, index: int) -> Pixels:
        """One image before jitter, flip and preprocessing; raises InvalidData, NoDataRoot."""
        return self._cut(epoch, index)[0]

    def _cut(self, epoch: int, index: int) -> tuple[Pixels, np.random.Generator | None]:
        label, request = self.label_of(index), self._request
        image, size = F.pil_to_tensor(self.picture(index)), request.image_size
        if request.split == "val":
            centre = resize_and_crop(image, size).byte().permute(1, 2, 0).numpy()
            return Pixels(centre, label, without_augmentation()), None
        draw = np.random.default_rng((request.seed, epoch, index))
        crop = resized_crop(image, size, draw, area=(0.08, 1.0), ratio=(3 / 4, 4 / 3))
        return Pixels(crop.permute(1, 2, 0).numpy(), label, draw_augmentation(draw)), draw
