"""Which training images are held out for a search, and that an image is the same either way."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from service.contract.data_spec import DataSpec
from workers.data.augmentation import without_augmentation
from workers.data.holdout import held_out, images_held_out, images_trained_on, trained_on
from workers.data.images import PixelImages, SplitRequest
from workers.data.sources import open_split
from workers.recipes.supernet import RECIPE
from workers.training.preprocessing import preprocess_for

DIGITS = DataSpec(dataset="digits")


def request(**changes: object) -> SplitRequest:
    params = RECIPE.params(image_size=32)
    plain = SplitRequest("train", 32, 3, preprocess_for(RECIPE, params, None), Path("/nowhere"))
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "every"), [(1437, 25), (10, 2), (7, 8), (0, 3), (9, 0)])
def test_each_image_is_either_held_out_or_trained_on(size: int, every: int) -> None:
    kept, out = list(trained_on(size, every)), list(held_out(size, every))
    assert sorted(kept + out) == list(range(size))
    assert out == [index for index in range(size) if every and index % every == every - 1]
    assert kept == sorted(kept)


def test_an_image_that_is_trained_on_is_the_one_that_it_is_without_a_holdout() -> None:
    images = open_split(DIGITS, request())
    trained = images_trained_on(images, 25)
    assert isinstance(trained, PixelImages)
    assert isinstance(images, PixelImages)
    assert (len(images), len(trained)) == (1437, 1380)
    for place, index in ((0, 0), (23, 23), (24, 25), (1379, 1436)):
        assert torch.equal(trained.sample(2, place)[0], images.sample(2, index)[0])
        assert torch.equal(trained.pixels(2, place).image, images.pixels(2, index).image)
        assert trained.label_of(place) == trained.sample(2, place)[1] == images.label_of(index)
        assert trained.name_of(place) == images.name_of(index)


def test_held_out_images_can_be_seen_as_those_of_validation_are() -> None:
    out = images_held_out(open_split(DIGITS, request(augments=False)), 25)
    assert isinstance(out, PixelImages)
    assert len(out) == 57
    assert torch.equal(out.sample(0, 56)[0], out.sample(9, 56)[0])
    assert out.pixels(0, 0).draws.shape == without_augmentation().shape
    assert out.name_of(0) == open_split(DIGITS, request()).name_of(24)


def test_without_a_holdout_nothing_is_held_out() -> None:
    images = open_split(DIGITS, request())
    assert images_trained_on(images, 0) is images
    assert len(images_held_out(images, 0)) == 0
