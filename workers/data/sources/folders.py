"""Folders of images below the data root: one sub-folder for each class."""

import numpy as np
from PIL import Image
from torch import Tensor
from torchvision.transforms import functional as F

from workers.data.errors import InvalidData
from workers.data.images import SplitRequest
from workers.data.root import check_still, data_path
from workers.data.transforms import augment, resize_and_crop

_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}


class ImageFolder:
    """Images in one sub-folder for each class, sorted by name; `folder` is below the data root."""

    def __init__(self, folder: str, request: SplitRequest) -> None:
        root = data_path(request.data_root, folder)
        if not root.is_dir():
            empty = not any(request.data_root.iterdir())
            hint = f"; {request.data_root} is empty: is it mounted?" if empty else ""
            raise InvalidData(f"{root.name}: there is no such folder below the data root{hint}")
        classes = sorted(path for path in root.iterdir() if path.is_dir())
        self.class_names = tuple(path.name for path in classes)
        self._samples = [
            (path, label)
            for label, of_class in enumerate(classes)
            for path in sorted(of_class.rglob("*"))
            if path.suffix.lower() in _SUFFIXES
        ]
        for label, name in enumerate(self.class_names):
            if not any(of == label for _, of in self._samples):
                raise InvalidData(f"{root.name}/{name} contains no image; add images or remove it")
        if not self._samples:
            raise InvalidData(f"{root.name} needs one sub-folder of images for each class")
        self._root, self._request = root, request

    def __len__(self) -> int:
        return len(self._samples)

    def sample(self, epoch: int, index: int) -> tuple[Tensor, int]:
        """One image; raises InvalidData with its name if it cannot be decoded, and NoDataRoot."""
        path, label = self._samples[index]
        request = self._request
        try:
            with Image.open(path) as file:
                image = F.pil_to_tensor(file.convert("RGB"))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            check_still(request.data_root)
            name = f"{path.parent.name}/{path.name}"
            raise InvalidData(f"{name} is not a readable image: replace or remove it") from error
        if request.split == "val":
            return request.preprocess(resize_and_crop(image, request.image_size), None), label
        draw = np.random.default_rng((request.seed, epoch, index))
        return request.preprocess(augment(image, request.image_size, draw), draw), label

    def label_of(self, index: int) -> int:
        """The class of an image."""
        return self._samples[index][1]

    def name_of(self, index: int) -> str:
        """The path of an image below the split's folder."""
        return str(self._samples[index][0].relative_to(self._root))

    def picture(self, index: int) -> Image.Image:
        """The image in RGB, without preprocessing."""
        with Image.open(self._samples[index][0]) as file:
            return file.convert("RGB")
