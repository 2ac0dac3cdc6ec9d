"""Submissions about a supernet: which paths it can draw, what is held out, what it is not."""

from typing import Any

import pytest

from api_tests.support.control_agent import Agent
from api_tests.support.source_jobs import an_eval, trained
from api_tests.support.use_cases import ControlPlane
from service.contract.exchange import ExportFormat, ExportRequest
from service.contract.specs import TrainSpec
from service.control.jobs import submission
from service.control.jobs.import_export import submit_export
from service.domain.errors import InvalidFields, Unprocessable
from workers.recipes.supernet import SupernetParams

SUPERNET = {"recipe": "supernet", "variant": "oneshot"}
SMALL = {"batch_size": 32, "image_size": 32}
LEAST = 270_359_360


def choices(**of_places: str) -> list[str]:
    return [of_places.get(f"place_{place}", "0123") for place in range(20)]


@pytest.mark.parametrize(
    ("params", "pointer", "message"),
    [
        (
            {"sampling_macs_from": 360_000_000, "sampling_macs_to": 290_000_000},
            "/params/sampling_macs_from",
            "sampling_macs_from 360,000,000 is more than sampling_macs_to 290,000,000",
        ),
        (
            {"sampling_macs_from": 0, "sampling_macs_to": LEAST - 1},
            "/params/sampling_macs_to",
            "none between sampling_macs_from 0 and sampling_macs_to 270,359,359: raise "
            "sampling_macs_to to 270,359,360 or more",
        ),
        (
            {"sampling_macs_from": 10**9, "sampling_macs_to": 10**9},
            "/params/sampling_macs_from",
            "none between sampling_macs_from 1,000,000,000 and sampling_macs_to 1,000,000,000: "
            "lower sampling_macs_from",
        ),
        (
            {"choices": ["0"] * 20, "sampling_macs_from": 300_000_000},
            "/params/sampling_macs_from",
            "a path of these choices has .* multiply-adds, none between",
        ),
    ],
)
def test_a_range_that_no_path_lies_in_is_refused_by_submission_and_worker(
    control_plane: ControlPlane, params: dict[str, Any], pointer: str, message: str
) -> None:
    with pytest.raises(Unprocessable, match=message) as refused:
        control_plane.submit(**SUPERNET, params=SMALL | params)
    assert (refused.value.code, refused.value.pointer) == ("no_path", pointer)
    with pytest.raises(ValueError, match=message):
        SupernetParams(**params)


def test_a_range_that_some_path_lies_in_is_taken(control_plane: ControlPlane) -> None:
    for params in (
        {"sampling_macs_from": 0, "sampling_macs_to": LEAST},
        {"choices": ["0"] * 20, "sampling_macs_from": 300_000_000, "sampling": "uniform"},
    ):
        job = control_plane.submit(**SUPERNET, params=SMALL | params)
        assert isinstance(job.spec, TrainSpec)
        SupernetParams(**job.spec.params)


@pytest.mark.parametrize(
    ("digits", "message"),
    [
        ("", "choices.4 must have at least 1 character"),
        ("1231", 'choices.4 must not name a block twice: it is "1231"'),
        ("04", r"choices.4 must match the pattern \^\[0-3\]\*\$"),
    ],
)
def test_choices_of_a_place_that_cannot_be_are_refused_with_the_place(
    control_plane: ControlPlane, digits: str, message: str
) -> None:
    named = choices(place_4=digits)
    with pytest.raises(InvalidFields, match=message) as refused:
        control_plane.submit(**SUPERNET, params=SMALL | {"choices": named})
    assert [each.pointer for each in refused.value.errors] == ["/params/choices/4"]
    with pytest.raises(ValueError, match=r"choices\.4"):
        SupernetParams(choices=tuple(named))


def test_blocks_may_be_named_in_any_order(control_plane: ControlPlane) -> None:
    job = control_plane.submit(**SUPERNET, params=SMALL | {"choices": choices(place_4="310")})
    assert isinstance(job.spec, TrainSpec)
    assert SupernetParams(**job.spec.params).choices[4] == "310"


def test_every_image_cannot_be_held_out(control_plane: ControlPlane) -> None:
    message = "holdout_every must not be 1, which leaves nothing to train on"
    with pytest.raises(InvalidFields, match=message) as refused:
        control_plane.submit(**SUPERNET, params=SMALL | {"holdout_every": 1})
    assert [each.pointer for each in refused.value.errors] == ["/params/holdout_every"]
    with pytest.raises(ValueError, match=message):
        SupernetParams(holdout_every=1)


def test_a_batch_must_fit_what_is_not_held_out(control_plane: ControlPlane) -> None:
    params = SMALL | {"holdout_every": 25}
    control_plane.submit(**SUPERNET, params=params | {"batch_size": 1380})
    message = (
        "batch_size 1381 is larger than the training set of 1380 images, without the 57 that "
        "holdout_every 25 keeps for a search; use at most 1380"
    )
    with pytest.raises(Unprocessable, match=message) as refused:
        control_plane.submit(**SUPERNET, params=params | {"batch_size": 1381})
    assert refused.value.pointer == "/params/batch_size"


def test_an_epoch_is_told_without_what_is_held_out(control_plane: ControlPlane) -> None:
    params = SMALL | {"holdout_every": 2, "total_iters": 44}
    spec = submission_of(params)
    with control_plane.write() as tx:
        hints = submission.explain(tx, spec).hints
    # 719 of 1437 images.
    assert "an epoch has 22 steps: 44 iterations are 2 epochs" in [hint.detail for hint in hints]


def submission_of(params: dict[str, Any]) -> TrainSpec:
    body = {"kind": "train", "data": {"dataset": "digits"}, "params": params, **SUPERNET}
    return TrainSpec.model_validate(body)


def test_the_eval_of_a_supernet_is_refused_with_what_to_do(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent, **SUPERNET)
    for body in (
        an_eval(source),
        {"kind": "eval", "checkpoint": {"file": "a.pth.tar"}},
    ):
        message = "a supernet is many networks in one, .*: search it, or name paths"
        with pytest.raises(Unprocessable, match=message) as refused:
            control_plane.submit(**body, **SUPERNET, params={})
        assert (refused.value.code, refused.value.pointer) == ("many_networks", "/checkpoint")


def test_an_export_of_a_supernet_to_a_format_of_one_network_is_refused(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = control_plane.job(trained(control_plane, agent, **SUPERNET))
    assert source.latest_checkpoint is not None
    formats: tuple[tuple[ExportFormat, bool], ...] = (
        ("onnx", False),
        ("torch_export", False),
        ("pth.tar", True),
        ("safetensors", True),
    )
    for number, (form, taken) in enumerate(formats):
        request = ExportRequest(checkpoint=source.latest_checkpoint, format=form)
        with control_plane.write() as tx:
            if taken:
                submit_export(tx, request, job_id=f"job_x{number}", now=control_plane.now)
                continue
            message = f"many networks in one, and {form} holds one: search it, or score a path"
            with pytest.raises(Unprocessable, match=message) as refused:
                submit_export(tx, request, job_id=f"job_x{number}", now=control_plane.now)
        assert (refused.value.code, refused.value.pointer) == ("many_networks", "/format")
