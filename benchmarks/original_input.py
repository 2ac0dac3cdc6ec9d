"""The input path of the original scripts, written anew, to measure against."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def original_transform(size: int = 224) -> Callable[[Image.Image], Tensor]:
    """Of a training image: crop, jitter, flip, then BGR of 0 to 255, float32 (3, S, S)."""
    steps: Any = transforms.Compose(
        [
            transforms.RandomResizedCrop(size),
            transforms.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4),
            transforms.RandomHorizontalFlip(0.5),
            bgr_tensor,
        ]
    )
    return lambda image: steps(image)


def original_eval_transform(size: int = 224) -> Callable[[Image.Image], Tensor]:
    """Of a validation image: OpenCV resizes its short side to 256 of 224, then the centre, BGR."""
    short = round(size * 256 / 224)
    centre = transforms.CenterCrop(size)
    return lambda image: bgr_tensor(centre(opencv_resized(image, short)))


def opencv_resized(image: Image.Image, short: int) -> Image.Image:
    """The image with a short side of so many pixels, by INTER_LINEAR in BGR as in the original."""
    # The training transform needs no OpenCV, and `make gpu` installs none.
    import cv2

    bgr = np.asarray(image)[:, :, ::-1]
    height, width = bgr.shape[:2]
    target = (
        (short, int(short / width * height + 0.5))
        if height >= width
        else (int(short / height * width + 0.5), short)
    )
    resized = cv2.resize(bgr, target, interpolation=cv2.INTER_LINEAR)
    return Image.fromarray(np.ascontiguousarray(resized[:, :, ::-1]))


def bgr_tensor(image: Image.Image) -> Tensor:
    """RGB image -> BGR, 0 to 255, float32 (3, H, W)."""
    channels = np.transpose(np.asarray(image)[:, :, ::-1], (2, 0, 1))
    return torch.from_numpy(np.ascontiguousarray(channels)).float()


def original_loader(
    folder: Path, *, batch_size: int, pin_memory: bool, size: int = 224
) -> "DataLoader[tuple[Tensor, Tensor]]":
    """Batches of an image folder by one loader process, shuffled."""
    return DataLoader(
        datasets.ImageFolder(folder, original_transform(size)),
        batch_size=batch_size,
        shuffle=True,
        num_workers=1,
        pin_memory=pin_memory,
    )
