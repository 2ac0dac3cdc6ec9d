"""Decodes the JPEG files of a batch on the training device."""

import io
import warnings
from collections.abc import Callable, Iterator, Sequence

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from workers.data.cuts import part_of
from workers.data.encoded_batch import EncodedBatch, EncodedImage
from workers.data.errors import InvalidData
from workers.data.images import PixelImages
from workers.data.loader import Batch

Decode = Callable[[list[Tensor]], list[Tensor]]
"""Maps files (B,), uint8, of the host to pictures (3, H, W), uint8, RGB, of a device.

Raises RuntimeError if it cannot decode one of them.
"""

_MOST_PIXELS = 1 << 26
"""Of the pictures that are decoded at once, which are on the device in full: 200 MB."""


class JpegDecoder:
    """Makes a batch of pixels of one of files; `size` is the side of its images.

    What `decode` refuses is read again from `images` by the loader's decoders, which say what is
    wrong with a file.
    """

    def __init__(
        self, images: PixelImages, size: int, device: torch.device, decode: Decode
    ) -> None:
        self._images, self._size = images, size
        self._device, self._decode = device, decode

    def __call__(self, batch: EncodedBatch) -> Batch:
        """The batch with its images (N, 3, S, S), uint8, on the device.

        Raises InvalidData, NoDataRoot.
        """
        order = batch.in_order()
        files = [image for image in order if isinstance(image, EncodedImage)]
        decoded = (image for part in _parts(files) for image in self._decoded(part))
        images = [next(decoded) if isinstance(each, EncodedImage) else each for each in order]
        return Batch(torch.stack(images), batch.labels, batch.draws)

    def _decoded(self, files: Sequence[EncodedImage]) -> list[Tensor]:
        try:
            pictures: list[Tensor | None] = list(self._decode([file.content for file in files]))
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:
            # One file fails all of them.
            pictures = [self._decoded_alone(file) for file in files]
        return [self._cut(*each) for each in zip(files, pictures, strict=True)]

    def _decoded_alone(self, file: EncodedImage) -> Tensor | None:
        try:
            return self._decode([file.content])[0]
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:
            return None

    def _cut(self, file: EncodedImage, picture: Tensor | None) -> Tensor:
        if picture is None or picture.shape != (3, file.height, file.width):
            image = self._images.pixels(*file.key).image
            return image.to(self._device)
        part = part_of(picture, file.box)[None].float()
        # Antialiased as in a loader; CUDA has no kernel of this for uint8.
        size = [self._size, self._size]
        resized = interpolate(part, size, mode="bilinear", antialias=True)[0]
        return resized.round_().clamp_(0, 255).byte()


def nvjpeg(device: torch.device) -> Decode:
    """torchvision's batched nvJPEG; raises InvalidData where it is missing or does not work."""
    from torchvision.io import ImageReadMode, decode_jpeg

    def decode(files: list[Tensor]) -> list[Tensor]:
        stream = torch.cuda.current_stream(device)
        # It writes on a stream of its own into memory that this stream may still use, and reads
        # the files, which the loader's next batch may replace.
        stream.synchronize()
        with warnings.catch_warnings():
            # It is deprecated; the ADR on nvJPEG says why it is used.
            warnings.simplefilter("ignore")
            pictures: list[Tensor] = decode_jpeg(files, ImageReadMode.RGB, device)
        stream.synchronize()
        return pictures

    try:
        decode([_sample()])
    except RuntimeError as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidData(
            f"decode_on device: torchvision cannot decode JPEGs on this worker's GPU ({reason}); "
            "set decode_on to loader, or install a torchvision with nvJPEG on the worker"
        ) from error
    return decode


def _parts(files: Sequence[EncodedImage]) -> Iterator[list[EncodedImage]]:
    """The files in their order, in lists of not too many pixels."""
    part: list[EncodedImage] = []
    pixels = 0
    for file in files:
        size = file.width * file.height
        if part and pixels + size > _MOST_PIXELS:
            yield part
            part, pixels = [], 0
        part.append(file)
        pixels += size
    if part:
        yield part


def _sample() -> Tensor:
    content = io.BytesIO()
    Image.new("RGB", (16, 16)).save(content, "JPEG")
    return torch.frombuffer(bytearray(content.getvalue()), dtype=torch.uint8)
