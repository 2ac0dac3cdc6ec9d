"""What a dry run says of a submission that can run."""

from typing import Any

import pytest

from api_tests.support.manifests import a_checkpoint, a_manifest
from service.contract.catalog import builtin_catalog
from service.contract.data_spec import DataSpec
from service.contract.hints import Hint
from service.contract.specs import CheckpointRef
from service.domain.hints import (
    DataSizes,
    SplitSize,
    data_hints,
    gpu_hints,
    size_hints,
    source_hints,
    training_hints,
)

PUBLISHED = {"learning_rate": 0.5, "batch_size": 1024}
BASE = {"batch_size": 1024, "learning_rate": 0.5, "total_iters": 300_000}
FEW = SplitSize(100, 2, "as job_1 counted them")


def of(params: dict[str, Any], train: SplitSize | None = None, **changes: Any) -> dict[str, str]:
    """The details by pointer."""
    how = {"is_new": True, "recalibrates": False} | changes
    return {hint.pointer: hint.detail for hint in training_hints(params, PUBLISHED, train, **how)}


@pytest.mark.parametrize(
    ("batch_size", "rate", "detail"),
    [
        (
            32,
            0.5,
            "learning_rate 0.5 is the published one for batch 1024; "
            "for 32 the linear rule gives 0.0156",
        ),
        (
            32,
            0.1,
            "the linear rule gives 0.0156 for batch 32, from the published 0.5 for 1024",
        ),
        (32, 0.0156, None),
        (32, 0.05, None),
        (1024, 0.5, None),
    ],
)
def test_a_learning_rate_that_does_not_go_with_the_batch_is_told(
    batch_size: int, rate: float, detail: str | None
) -> None:
    told = of(BASE | {"batch_size": batch_size, "learning_rate": rate})
    assert told.get("/params/learning_rate") == detail


def test_a_learning_rate_that_is_scaled_is_told_as_it_will_be() -> None:
    told = of(BASE | {"batch_size": 32, "learning_rate_scaling": "linear"})
    assert told["/params/learning_rate"] == (
        "learning_rate 0.5 for the published batch 1024 is scaled to 0.0156 for batch 32"
    )


def test_a_low_learning_rate_is_told_of_new_weights_alone() -> None:
    params = BASE | {"learning_rate": 0.001}
    assert "/params/learning_rate" in of(params)
    assert "/params/learning_rate" not in of(params, is_new=False)


@pytest.mark.parametrize("rate", [None, True, "high", -1, 0])
def test_a_recipe_of_other_parameters_has_no_such_hints(rate: Any) -> None:
    assert of({"learning_rate": rate, "batch_size": 3}) == {}


def test_the_steps_of_an_epoch_and_the_recalibration_are_told() -> None:
    params = {"batch_size": 30, "total_iters": 10}
    assert of(params, FEW) == {
        "/params/total_iters": "an epoch has 3 steps: 10 iterations are 3.33 epochs"
    }
    many = of(params | {"total_iters": 300_000}, FEW)["/params/total_iters"]
    assert many == "an epoch has 3 steps: 300,000 iterations are 100,000 epochs"
    recalibrated = of(params, FEW, recalibrates=True)["/params/total_iters"]
    assert recalibrated.endswith("; then 3 steps of batch-norm recalibration")
    own = params | {"bn_recalibration_iters": 1}
    assert "; then 1 step of" in of(own, FEW, recalibrates=True)["/params/total_iters"]


@pytest.mark.parametrize(
    ("counts", "told"),
    [((), None), ((1,), "it takes 1 GPU, "), ((2, 4, 8), "it takes 2, 4 or 8 GPUs, ")],
)
def test_the_numbers_of_gpus_that_a_range_stands_for_are_told(
    counts: tuple[int, ...], told: str | None
) -> None:
    details = [hint.detail for hint in gpu_hints(counts)]
    assert [each.startswith(str(told)) for each in details] == ([True] if told else [])


def test_a_batch_that_is_larger_than_the_data_is_a_warning() -> None:
    (hint,) = training_hints(
        {"batch_size": 101, "total_iters": 10}, {}, FEW, is_new=True, recalibrates=True
    )
    assert hint == Hint(
        pointer="/params/batch_size",
        level="warning",
        detail="batch_size 101 is more than the 100 images there are, as job_1 counted them",
    )


@pytest.mark.parametrize("name", ["val_interval", "save_interval"])
def test_an_interval_that_is_longer_than_the_run_is_told(name: str) -> None:
    assert f"/params/{name}" in of({"total_iters": 300, name: 301})
    assert f"/params/{name}" not in of({"total_iters": 300, name: 300})


@pytest.mark.parametrize(
    ("data", "pointers"),
    [
        ({"dataset": "digits"}, ["/data/dataset", "/data/dataset"]),
        ({"train_dir": "a", "val_dir": "b"}, ["/data/train_dir", "/data/val_dir"]),
        ({"packed": "a.pack"}, ["/data/packed", "/data/packed"]),
    ],
)
def test_images_and_classes_are_told_at_the_field_of_the_data(
    data: dict[str, str], pointers: list[str]
) -> None:
    hints = list(data_hints(DataSpec(**data), DataSizes(FEW, SplitSize(1, 1))))
    assert [hint.pointer for hint in hints] == pointers
    assert [hint.detail for hint in hints] == [
        "100 images of 2 classes to train on, as job_1 counted them",
        "1 image of 1 class to validate on",
    ]


@pytest.mark.parametrize(
    ("reference", "classes", "expected"),
    [
        ({}, 10, [("note", "/init_from", "it fits: step 1,200 of oneshot searched")]),
        ({}, None, [("note", "/init_from", "it fits: step 1,200 of oneshot searched")]),
        (
            {"state": "full"},
            10,
            [
                (
                    "note",
                    "/init_from",
                    "it fits: step 1,200 of oneshot searched; "
                    "800 of 2,000 iterations are left to train",
                )
            ],
        ),
        (
            {},
            2,
            [
                ("note", "/init_from", "it fits: step 1,200 of oneshot searched"),
                (
                    "warning",
                    "/init_from",
                    "it has 10 classes, the data 2 classes when it was last read",
                ),
            ],
        ),
        (
            {"head": "replace"},
            2,
            [
                ("note", "/init_from", "it fits: step 1,200 of oneshot searched"),
                (
                    "note",
                    "/init_from/head",
                    "its classifier of 10 classes is made anew for 2 classes",
                ),
            ],
        ),
    ],
)
def test_what_fits_of_a_checkpoint_is_told(
    reference: dict[str, Any], classes: int | None, expected: list[tuple[str, str, str]]
) -> None:
    manifest = a_manifest("job_1", 1200)
    source = a_checkpoint(manifest).model_copy(update={"manifest": manifest.model_dump()})
    named = CheckpointRef(id=source.id, **reference)
    hints = source_hints("/init_from", named, source, {"total_iters": 2000}, classes)
    assert [(hint.level, hint.pointer, hint.detail) for hint in hints] == expected


def test_of_a_file_it_is_told_that_the_worker_reads_it() -> None:
    (hint,) = source_hints("/checkpoint", CheckpointRef(file="a.pth"), None, {}, 10)
    assert "known when the job starts" in hint.detail


@pytest.mark.parametrize(
    ("variant", "side", "classes", "detail"),
    [
        ("searched", 224, 1000, "327.9 M multiply-adds for an image of 224 px, 3.43 M parameters"),
        (f"b{'0' * 20}", 224, None, "295.8 M multiply-adds for an image of 224 px, 3.15 M para"),
        (f"b{'0' * 20}", 32, 10, "6.0 M multiply-adds for an image of 32 px, 2.14 M parameters"),
    ],
)
def test_the_size_of_a_searched_network_is_told(
    variant: str, side: int, classes: int | None, detail: str
) -> None:
    oneshot = builtin_catalog().recipes[0]
    (hint,) = size_hints(oneshot, variant, {"image_size": side}, classes)
    assert hint.pointer == "/variant"
    assert hint.detail.startswith(detail)


@pytest.mark.parametrize(
    ("recipe", "variant", "detail"),
    [
        ("detnas", "COCO_FPN_1.3G", "1,318.4 M multiply-adds"),
        ("detnas", f"b{'0' * 20}", "295.8 M multiply-adds"),
        ("shufflenet_v2_plus", "small", "155.8 M multiply-adds"),
    ],
)
def test_the_size_in_one_of_several_spaces_is_told(recipe: str, variant: str, detail: str) -> None:
    info = builtin_catalog().recipe(recipe)
    assert info is not None
    (hint,) = size_hints(info, variant, {"image_size": 224}, 1000)
    assert hint.detail.startswith(detail)


def test_the_size_of_a_network_of_no_space_is_not_told() -> None:
    recipe = builtin_catalog().recipe("shufflenet_v2")
    assert recipe is not None
    assert not list(size_hints(recipe, "1.0x", {"image_size": 224}, None))
