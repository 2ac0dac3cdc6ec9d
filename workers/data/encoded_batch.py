"""A batch of which JPEG files are left to be decoded on the training device."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from workers.data.cuts import Box
from workers.data.images import EncodedPixels, Pixels


class EncodedImage(NamedTuple):
    """One image: its epoch and index, its file, the picture's size, and the part that is used."""

    key: tuple[int, int]
    content: Tensor
    width: int
    height: int
    box: Box


class EncodedBatch(NamedTuple):
    """Files and pixels of one batch, which stays as many tensors for any number of images.

    `content` (B,), uint8, has the files one after the other. `rows` (N, 9), int64, have of each
    image its epoch, its index, the bytes of its file, width and height of the picture, and the
    box; an image without a file is the next one of `images` (M, 3, S, S), uint8. `labels` (N,) and
    `draws` (N, D) are those of a batch of pixels.
    """

    content: Tensor
    rows: Tensor
    images: Tensor
    labels: Tensor
    draws: Tensor

    def to(self, device: torch.device, *, non_blocking: bool = False) -> "EncodedBatch":
        """The batch on a device, but for the files, which decoders read on the host."""
        parts = (part.to(device, non_blocking=non_blocking) for part in self[2:])
        return EncodedBatch(self.content, self.rows, *parts)

    def in_order(self) -> list[Tensor | EncodedImage]:
        """Each image: its pixels (3, S, S), or its file."""
        pixels, at = iter(self.images), 0
        order: list[Tensor | EncodedImage] = []
        for epoch, index, size_bytes, width, height, *box in self.rows.tolist():
            if not size_bytes:
                order.append(next(pixels))
                continue
            content = self.content[at : at + size_bytes]
            order.append(EncodedImage((epoch, index), content, width, height, Box(*box)))
            at += size_bytes
        return order


def encoded_batch_of(
    images: Sequence[EncodedPixels | Pixels], keys: Sequence[tuple[int, int]]
) -> EncodedBatch:
    """The batch of the images of these keys (epoch, index)."""
    pixels = [one.image for one in images if isinstance(one, Pixels)]
    files = [one.jpeg.content for one in images if isinstance(one, EncodedPixels)]
    content = bytearray().join(files)
    return EncodedBatch(
        torch.frombuffer(content, dtype=torch.uint8) if content else torch.empty(0).byte(),
        torch.tensor([_row(*key, one) for key, one in zip(keys, images, strict=True)]),
        default_collate(pixels) if pixels else torch.empty(0).byte(),
        torch.tensor([one.label for one in images]),
        torch.from_numpy(np.stack([one.draws for one in images])),
    )


def _row(epoch: int, index: int, image: EncodedPixels | Pixels) -> list[int]:
    if isinstance(image, Pixels):
        return [epoch, index, *[0] * 7]
    jpeg = image.jpeg
    return [epoch, index, len(jpeg.content), jpeg.width, jpeg.height, *jpeg.box]
