"""Jitter, flip and lighting: torchvision's, and the same in a loader as on the training device."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional as F

from service.contract.specs import DataSpec
from workers.data.augmentation import (
    COLUMNS,
    FACTORS,
    FLIP,
    LIGHTING,
    OPERATIONS,
    ORDER,
    ORDERS,
    adjusted,
    draw_augmentation,
)
from workers.data.batch_transform import flipped, jittered, transform_of
from workers.data.images import SplitRequest
from workers.data.loader import train_batches
from workers.data.sources import open_split
from workers.data.transforms import preprocess_of

PHOTOS = [
    np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8),
    np.linspace(0, 255, 40 * 50 * 3).reshape(40, 50, 3).astype(np.uint8),
    np.full((40, 50, 3), (255, 0, 7), dtype=np.uint8),
]
THEIRS = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation)


def _draws(operation: int, factor: float, flip: bool = False) -> np.ndarray:
    draws = np.zeros(COLUMNS, dtype=np.float32)
    draws[FACTORS] = 1
    draws[operation], draws[FLIP] = factor, flip
    return draws


def _on_device(photo: np.ndarray, draws: np.ndarray) -> np.ndarray:
    image = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
    numbers = torch.from_numpy(draws)[None]
    return flipped(jittered(image, numbers), numbers)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("photo", PHOTOS, ids=["noise", "ramp", "plain"])
@pytest.mark.parametrize("factor", [0.6, 0.77, 1.0, 1.31, 1.4])
@pytest.mark.parametrize("operation", range(3), ids=OPERATIONS)
def test_an_operation_is_torchvisions_in_a_loader_and_on_the_device(
    photo: np.ndarray, factor: float, operation: int
) -> None:
    theirs = np.asarray(THEIRS[operation](Image.fromarray(photo), factor)).astype(int)
    image = torch.from_numpy(photo).permute(2, 0, 1).float()
    ours = adjusted(image, operation, factor).permute(1, 2, 0).numpy()
    assert np.abs(ours - theirs).max() <= 1
    assert np.abs(_on_device(photo, _draws(operation, factor)) - theirs).max() <= 1


def test_a_flip_on_the_device_is_torchvisions() -> None:
    theirs = np.asarray(F.hflip(Image.fromarray(PHOTOS[1])))
    assert np.array_equal(_on_device(PHOTOS[1], _draws(0, 1.0, flip=True)), theirs)


def test_draws_are_as_likely_as_the_originals() -> None:
    drawn = np.stack([draw_augmentation(np.random.default_rng((0, 0, i))) for i in range(6000)])
    factors = drawn[:, FACTORS]
    assert factors.min() >= np.float32(0.6)
    assert factors.max() <= np.float32(1.4)
    assert np.allclose(factors.mean(0), 1, atol=0.01)
    assert np.allclose(factors.std(0), 0.8 / 12**0.5, atol=0.01)
    assert abs(drawn[:, FLIP].mean() - 0.5) < 0.03
    counts = np.bincount(drawn[:, ORDER].astype(int), minlength=len(ORDERS))
    assert np.allclose(counts / len(drawn), 1 / 6, atol=0.02)
    assert np.allclose(drawn[:, LIGHTING].std(0), 0.1, atol=0.005)


@pytest.mark.parametrize("preprocessing", ["bgr255", "bgr_normalized", "bgr255_minus_mean"])
def test_loader_and_device_give_the_network_the_same_input(
    tmp_path: Path, preprocessing: str
) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "train" / name).mkdir(parents=True)
        for number, photo in enumerate(PHOTOS):
            Image.fromarray(photo).save(tmp_path / "train" / name / f"{number}.png")
    mean = torch.full((3, 32, 32), 100.0) if preprocessing.endswith("mean") else None
    request = SplitRequest("train", 32, 5, preprocess_of(preprocessing, mean), tmp_path)
    images = open_split(DataSpec(train_dir="train", val_dir="train"), request)
    inputs = []
    for place in ("loader", "device"):
        batches = train_batches(
            images, seed=0, start_step=0, batch_size=6, num_workers=0, augment_on=place
        )
        batch = next(batches)
        assert batch.images.dtype == torch.uint8
        inputs.append(transform_of(images)(batch)[0])
    level = 1 / 255 / 0.224 if preprocessing == "bgr_normalized" else 1
    assert (inputs[0] - inputs[1]).abs().max() <= level
    one, label = images.sample(0, 3)
    alone = transform_of(images)(
        next(train_batches(images, seed=0, start_step=0, batch_size=6, num_workers=0))
    )
    assert any(torch.allclose(one, other, atol=1e-5) for other in alone[0])
    assert label in alone[1]
