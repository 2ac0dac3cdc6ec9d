"""The images of one split of a pack, as a data source."""

import io
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from workers.data.cuts import Cut, cut_picture
from workers.data.device_jpegs import DeviceJpeg
from workers.data.errors import InvalidData
from workers.data.file_names import printable
from workers.data.image_files import cut_image, decode_image, jpeg_or_cut, turned
from workers.data.images import SplitRequest
from workers.data.packs.encoding import RAW_HEAD
from workers.data.packs.reader import Pack
from workers.data.packs.tiles import cut_tiles
from workers.data.root import data_path
from workers.data.sources.class_checks import name_in_split
from workers.data.sources.pictures import Pictures


class PackedImages(Pictures):
    """The images of one split of a pack; `path` is that of the pack below the data root.

    With `exif_orientation`, images are turned as their EXIF data says.
    """

    def __init__(self, path: str, request: SplitRequest, *, exif_orientation: bool = False) -> None:
        super().__init__(request)
        self._exif_orientation = exif_orientation
        self._name_of = partial(name_in_split, request.split, path)
        self._pack = Pack(data_path(request.data_root, path), printable(path), request.data_root)
        split, self._first = self._pack.split(request.split)
        self.class_names, self._length = split.class_names, split.images
        self._is_raw = self._pack.info.encoding == "raw"
        request.remark(f"packed as {self._pack.info.encoding}")

    def __len__(self) -> int:
        return self._length

    def label_of(self, index: int) -> int:
        """The class of an image."""
        return self._pack.label_of(self._number(index))

    def name_of(self, index: int) -> str:
        """The path that an image had below its split's folder."""
        return printable(self._pack.path_of(self._number(index)))

    def file_of(self, index: int) -> tuple[str, int]:
        """The path that an image had below its split's folder, and its size as it is stored.

        A pack of originals is the same data as the folders that it was made of, and another is not.
        """
        number = self._number(index)
        return self._pack.path_of(number), self._pack.sizes_of(number)[1]

    def picture(self, index: int) -> Image.Image:
        """The image in RGB, without preprocessing; raises InvalidData, NoDataRoot."""
        return self._decoded(self._pack.read(self._number(index)), index)

    def cut(self, index: int, cut: Cut) -> Tensor:
        """The image (3, S, S) of a cut, uint8; raises InvalidData, NoDataRoot."""
        stored = self._pack.read(self._number(index))
        if self._is_raw:
            if self._exif_orientation:
                return cut_picture(np.asarray(self._raw(stored)), cut)
            return cut_picture(self._raw_pixels(stored)[0], cut)
        number, turn = self._number(index), self._exif_orientation
        if self._pack.is_tiled(number):
            try:
                image = cut_tiles(stored, cut, exif_orientation=turn)
            except ValueError as error:
                name = self._name_of(self._pack.path_of(number))
                raise InvalidData(
                    f"{name} cannot be read ({error}): pack the images again"
                ) from error
            if image is not None:
                return image
        name, root = self._name_of(self._pack.path_of(number)), self._request.data_root
        return cut_image(io.BytesIO(stored), name, root, cut, exif_orientation=turn)

    def jpeg_or_cut(self, index: int, cut: Cut) -> DeviceJpeg | Tensor:
        """The image as a file that a device can decode, else its cut; it raises what `cut` does."""
        if self._is_raw:
            return self.cut(index, cut)
        number, turn = self._number(index), self._exif_orientation
        name, stored = self._name_of(self._pack.path_of(number)), self._pack.read(number)
        root = self._request.data_root
        return jpeg_or_cut(io.BytesIO(stored), name, root, cut, exif_orientation=turn)

    def verify(self, index: int) -> None:
        """Read an image as a training does, and compare its sha256; raises as `picture` does."""
        self._decoded(self._pack.verify(self._number(index)), index)

    def _number(self, index: int) -> int:
        assert 0 <= index < self._length
        return self._first + index

    def _decoded(self, stored: bytes, index: int) -> Image.Image:
        if self._is_raw:
            return self._raw(stored)
        name = self._name_of(self._pack.path_of(self._number(index)))
        turn = self._exif_orientation
        return decode_image(
            io.BytesIO(stored), name, self._request.data_root, exif_orientation=turn
        )

    def _raw(self, stored: bytes) -> Image.Image:
        pixels, orientation = self._raw_pixels(stored)
        image = Image.fromarray(pixels)
        return turned(image, orientation) if self._exif_orientation else image

    def _raw_pixels(self, stored: bytes) -> tuple[NDArray[np.uint8], int]:
        if len(stored) > RAW_HEAD.size:
            height, width, orientation = RAW_HEAD.unpack_from(stored)
            pixels = np.frombuffer(stored, np.uint8, offset=RAW_HEAD.size)
            if pixels.size == height * width * 3:
                return pixels.reshape(height, width, 3), orientation
        raise InvalidData(f"{self._pack.name} has an image of a wrong size: pack again")
