"""How many loader processes a run has where nobody says a number."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from workers.data.classes import in_class_order
from workers.data.images import SplitRequest
from workers.data.sources.digits import Digits
from workers.data.transforms import preprocess_of
from workers.recipes.params import RecipeParams
from workers.training.loader_processes import loader_processes

ONE_IMAGE = 3 * 224 * 224 * 4
FILES: Any = SimpleNamespace(class_names=("a", "b"))


def chosen(
    monkeypatch: pytest.MonkeyPatch,
    cores: int,
    *,
    images: Any = FILES,
    batch_size: int = 1,
    free_bytes: int = 1 << 40,
    world_size: int = 1,
    data_workers: int | Literal["auto"] = "auto",
) -> int:
    free = SimpleNamespace(f_bavail=free_bytes, f_frsize=1)
    monkeypatch.setenv("TRAINYARD_RANK_CORES", str(cores))
    monkeypatch.setattr(os, "statvfs", lambda _: free)
    params = RecipeParams(data_workers=data_workers)
    return loader_processes(params, images, batch_size=batch_size, world_size=world_size)


@pytest.mark.parametrize(("cores", "processes"), [(1, 0), (2, 1), (8, 7), (17, 16), (96, 16)])
def test_all_cores_of_a_rank_but_one_load_up_to_sixteen(
    monkeypatch: pytest.MonkeyPatch, cores: int, processes: int
) -> None:
    assert chosen(monkeypatch, cores) == processes


@pytest.mark.parametrize(("batches", "processes"), [(5, 0), (6, 1), (17, 2), (600, 7)])
def test_half_of_the_free_shared_memory_is_left_free(
    monkeypatch: pytest.MonkeyPatch, batches: int, processes: int
) -> None:
    free_bytes = batches * 32 * ONE_IMAGE
    assert chosen(monkeypatch, 8, batch_size=32, free_bytes=free_bytes) == processes


def test_the_ranks_share_the_half_of_the_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    free_bytes = 4 * 12 * 32 * ONE_IMAGE
    four = chosen(monkeypatch, 8, batch_size=32, free_bytes=free_bytes, world_size=4)
    assert four == 2


def test_images_in_memory_need_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = Digits(SplitRequest("train", 32, 0, preprocess_of("bgr255"), Path()))
    assert chosen(monkeypatch, 8, images=digits) == 0
    turned = in_class_order(digits, tuple(reversed(digits.class_names)))
    assert chosen(monkeypatch, 8, images=turned) == 0


def test_a_number_that_the_user_gave_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(monkeypatch, 1, data_workers=5, free_bytes=0) == 5
