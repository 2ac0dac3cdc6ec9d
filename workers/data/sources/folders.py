"""Folders of images below the data root: one sub-folder for each class."""

import os
from functools import partial
from pathlib import Path

from PIL import Image
from torch import Tensor

from workers.data.cuts import Cut
from workers.data.device_jpegs import DeviceJpeg
from workers.data.errors import InvalidData
from workers.data.file_errors import data_error_of
from workers.data.file_names import printable
from workers.data.image_files import read_cut, read_image, read_jpeg_or_cut
from workers.data.images import SplitRequest
from workers.data.root import data_path
from workers.data.sources.class_checks import class_names_as_text, class_problems, name_in_split
from workers.data.sources.class_folders import described, read_class_folders
from workers.data.sources.pictures import Pictures


class ImageFolder(Pictures):
    """Images in one sub-folder for each class, sorted by name; `folder` is below the data root.

    With `exif_orientation`, images are turned as their EXIF data says.
    """

    def __init__(
        self, folder: str, request: SplitRequest, *, exif_orientation: bool = False
    ) -> None:
        super().__init__(request)
        self._exif_orientation = exif_orientation
        self._root = data_path(request.data_root, folder)
        self._name_of = partial(name_in_split, request.split, folder)
        check_folder(self._root, self._name_of(""), request.data_root)
        found = read_class_folders(self._root, request.data_root, self._name_of)
        for problem in class_problems(found, folder, request.split):
            raise InvalidData(problem)
        self.class_names = class_names_as_text(found)
        self._samples = found.images
        self._sizes = found.sizes
        if found.passed_over:
            request.remark(f"passed over: {described(found.passed_over)}")

    def __len__(self) -> int:
        return len(self._samples)

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
        return read_image(*self._file(index), exif_orientation=self._exif_orientation)

    def cut(self, index: int, cut: Cut) -> Tensor:
        """The image (3, S, S) of a cut, uint8; raises InvalidData, NoDataRoot."""
        return read_cut(*self._file(index), cut, exif_orientation=self._exif_orientation)

    def jpeg_or_cut(self, index: int, cut: Cut) -> DeviceJpeg | Tensor:
        """The image as a file that a device can decode, else its cut; it raises what `cut` does."""
        turns = self._exif_orientation
        return read_jpeg_or_cut(*self._file(index), cut, exif_orientation=turns)

    def _file(self, index: int) -> tuple[Path, str, Path]:
        relative = self._samples[index][0]
        return self._root / relative, self._name_of(relative), self._request.data_root


def check_folder(root: Path, name: str, data_root: Path) -> None:
    """Raise InvalidData or NoDataRoot if the folder of a split cannot be read."""
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
