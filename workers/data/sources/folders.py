"""Folders of images below the data root: one sub-folder for each class."""

import os
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import functional as F

from service.contract.text import NAME_LENGTH, cut_text
from workers.data.augmentation import augmented, draw_augmentation, without_augmentation
from workers.data.batch_transform import input_of
from workers.data.errors import InvalidData
from workers.data.file_errors import data_error_of
from workers.data.file_names import path_below, printable
from workers.data.image_files import read_image
from workers.data.images import Pixels, SplitRequest
from workers.data.root import data_path
from workers.data.sources.class_folders import ClassFolders, described, read_class_folders
from workers.data.transforms import batch_transform_of, resize_and_crop, resized_crop


class ImageFolder:
    """Images in one sub-folder for each class, sorted by name; `folder` is below the data root.

    With `exif_orientation`, images are turned as their EXIF data says.
    """

    def __init__(
        self, folder: str, request: SplitRequest, *, exif_orientation: bool = False
    ) -> None:
        self._exif_orientation = exif_orientation
        self._root, self._request = data_path(request.data_root, folder), request
        self.batch_transform = batch_transform_of(request.preprocess)
        self._name_of = partial(_name, request.split, folder)
        _check_folder(self._root, self._name_of(""), request.data_root)
        found = read_class_folders(self._root, request.data_root, self._name_of)
        _check_classes(found, folder, request.split)
        self.class_names = _as_text(found.class_names, self._name_of(""))
        self._samples = found.images
        self._sizes = found.sizes
        if found.passed_over:
            request.remark(f"passed over: {described(found.passed_over)}")

    def __len__(self) -> int:
        return len(self._samples)

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

    def label_of(self, index: int) -> int:
        """The class of an image."""
        return self._samples[index][1]

    def name_of(self, index: int) -> str:
        """The path of an image below the split's folder."""
        return printable(self._samples[index][0])

    def file_of(self, index: int) -> tuple[str, int]:
        """The path of an image below the split's folder, and its size in bytes."""
        return self._samples[index][0], self._sizes[index]

    def picture(self, index: int) -> Image.Image:
        """The image in RGB, without preprocessing; raises InvalidData, NoDataRoot."""
        relative = self._samples[index][0]
        return read_image(
            self._root / relative,
            self._name_of(relative),
            self._request.data_root,
            exif_orientation=self._exif_orientation,
        )

    def _cut(self, epoch: int, index: int) -> tuple[Pixels, np.random.Generator | None]:
        label, request = self._samples[index][1], self._request
        image, size = F.pil_to_tensor(self.picture(index)), request.image_size
        if request.split == "val":
            centre = resize_and_crop(image, size).byte().permute(1, 2, 0).numpy()
            return Pixels(centre, label, without_augmentation()), None
        draw = np.random.default_rng((request.seed, epoch, index))
        crop = resized_crop(image, size, draw, area=(0.08, 1.0), ratio=(3 / 4, 4 / 3))
        return Pixels(crop.permute(1, 2, 0).numpy(), label, draw_augmentation(draw)), draw


def _name(split: str, folder: str, relative: str) -> str:
    return f"{path_below(folder, relative)} ({split} split)"


def _as_text(folder_names: tuple[str, ...], split: str) -> tuple[str, ...]:
    # As checkpoints have them: a name that is not UTF-8 could be written into no JSON.
    class_names = tuple(cut_text(name, NAME_LENGTH) for name in folder_names)
    for name, count in Counter(class_names).items():
        if count > 1:
            raise InvalidData(
                f"{split} has {count} class folders whose names are written {printable(name)}: "
                "rename all but one of them"
            )
    return class_names


def _check_folder(root: Path, name: str, data_root: Path) -> None:
    try:
        os.scandir(root).close()
    except FileNotFoundError as error:
        empty = not any(data_root.iterdir())
        hint = f"; {data_root} is empty: is it mounted?" if empty else ""
        raise InvalidData(f"{name}: there is no such folder below the data root{hint}") from error
    except NotADirectoryError as error:
        raise InvalidData(f"{name} is not a folder; name one") from error
    except OSError as error:
        raise data_error_of(error, name, data_root) from error


def _check_classes(found: ClassFolders, folder: str, split: str) -> None:
    name = _name(split, folder, "")
    if not found.class_names:
        raise InvalidData(f"{name} needs one sub-folder of images for each class")
    filled = {label for _, label in found.images}
    for label, class_name in enumerate(found.class_names):
        if label not in filled:
            empty = _name(split, folder, class_name)
            passed_over = described(found.passed_over)
            seen = f" (passed over: {passed_over})" if passed_over else ""
            raise InvalidData(f"{empty} contains no image{seen}; add images or remove it")
    if len(found.class_names) == 1:
        below = {path.split("/")[1] for path, _ in found.images if path.count("/") > 1}
        inner = path_below(folder, found.class_names[0])
        hint = f"; are the classes the folders in {inner}?" if len(below) > 1 else ""
        raise InvalidData(f"{name} has one class alone, {printable(found.class_names[0])}{hint}")
