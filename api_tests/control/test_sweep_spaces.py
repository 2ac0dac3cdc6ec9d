"""The values that a sweep gives to its trials, and what it is refused for."""

from typing import Any

import pytest
from pydantic import ValidationError

from api_tests.support.sweeps import JOB, Sweeps, a_sweep
from api_tests.support.use_cases import ControlPlane
from service.contract.sweep_specs import Asha, NewSweep, Objective
from service.control.sweeps.halving import judge
from service.control.sweeps.space import parameters_of
from service.domain.errors import InvalidFields

ASHA = Asha(kind="asha", trials=9, min_steps=10, reduction_factor=3)


def drawn(parameters: dict[str, Any], seed: int = 0, trials: int = 50) -> list[dict[str, Any]]:
    method = {"kind": "random", "trials": trials, "seed": seed}
    new = a_sweep(parameters=parameters, method=method)
    return [parameters_of(new, number) for number in range(1, trials + 1)]


def test_the_last_parameter_of_a_grid_changes_fastest() -> None:
    values = {"a": {"values": [1, 2]}, "b": {"values": ["x", None, True]}}
    new = a_sweep(parameters=values)
    found = [tuple(parameters_of(new, number).values()) for number in range(1, 7)]
    assert found == [(a, b) for a in (1, 2) for b in ("x", None, True)]
    assert [*parameters_of(new, 1)] == ["a", "b"]


def test_values_are_drawn_within_their_range_and_the_same_again_for_the_same_seed() -> None:
    parameters = {
        "rate": {"low": 1e-4, "high": 1.0, "log": True},
        "share": {"low": 0.0, "high": 0.5, "step": 0.25},
        "size": {"low": 32, "high": 96, "step": 32, "whole": True},
        "name": {"values": ["x", "y"]},
    }
    found = drawn(parameters)
    assert found == drawn(parameters)
    assert found != drawn(parameters, seed=1)
    rates = [each["rate"] for each in found]
    assert min(rates) >= 1e-4
    assert max(rates) <= 1.0
    # Half of four orders of magnitude.
    assert 10 < sum(rate < 1e-2 for rate in rates) < 40
    assert {each["share"] for each in found} == {0.0, 0.25, 0.5}
    assert {each["size"] for each in found} == {32, 64, 96}
    assert all(isinstance(each["size"], int) for each in found)
    assert {each["name"] for each in found} == {"x", "y"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"parameters": {"a": {"low": 1, "high": 1}}}, "low must be below high"),
        ({"parameters": {"a": {"low": 0, "high": 1, "log": True}}}, "low above 0"),
        ({"parameters": {"a": {"low": 1, "high": 2, "log": True, "step": 1}}}, "either log or"),
        ({"parameters": {"a": {"low": 1, "high": 2.5, "whole": True}}}, "whole numbers"),
        ({"parameters": {"a": {"low": 0, "high": 1}}}, "a grid needs values for a"),
        ({"parameters": {"a": {"values": [1, 2, 1]}}}, "1 is there twice"),
        ({"parameters": {"a": {"values": [[1]]}}}, "values"),
        ({"parameters": {}}, "parameters"),
        (
            {"parameters": {name: {"values": [*range(11)]} for name in "abc"}},
            "1331 combinations, and a sweep at most 1000",
        ),
        ({"parameters": {"total_iters": {"values": [1]}}}, "total_iters is in job.params, too"),
        ({"job": JOB | {"labels": {f"l{n}": "" for n in range(64)}}}, "at most 63"),
        ({"method": {"kind": "tea-leaves"}}, "kind must be one of grid, random, asha"),
    ],
)
def test_what_cannot_be_meant_is_refused(fields: dict[str, Any], message: str) -> None:
    body = a_sweep().model_dump(mode="json") | fields
    with pytest.raises(ValidationError, match=message):
        NewSweep.model_validate(body)


def test_every_training_is_checked_before_the_sweep_is_stored(control_plane: ControlPlane) -> None:
    sweeps = Sweeps(control_plane)
    values = {"batch_size": {"values": [16, 32, 0]}}
    with pytest.raises(InvalidFields) as refused:
        sweeps.create(a_sweep(parameters=values))
    (problem,) = refused.value.errors
    assert problem.pointer == "/parameters/batch_size"
    assert "trial 3 (batch_size 0)" in problem.detail
    with pytest.raises(InvalidFields) as refused:
        sweeps.create(a_sweep(job=JOB | {"params": {"novelty": 1}}))
    assert [each.pointer for each in refused.value.errors] == ["/job/params/novelty"]


def test_two_values_that_do_not_go_together_are_refused_together(
    control_plane: ControlPlane,
) -> None:
    # Each is right beside the other's default.
    values = {"parity": {"values": [False, True]}, "precision": {"values": ["fp32", "bf16"]}}
    with pytest.raises(InvalidFields) as refused:
        Sweeps(control_plane).create(a_sweep(parameters=values))
    (problem,) = refused.value.errors
    assert problem.pointer == "/parameters/precision"
    assert "trial 4 (parity True, precision bf16)" in problem.detail


@pytest.mark.parametrize(
    ("rungs", "points", "others", "expected"),
    [
        ((), [(9, 0.9)], [(0.1,)] * 3, ((), False)),
        ((), [(10, 0.9)], [], ((0.9,), False)),
        ((), [(10, 0.9)], [(0.1,)] * 3, ((0.9,), True)),
        # A third of four is one: the best.
        ((), [(10, 0.05)], [(0.1,)] * 3, ((0.05,), False)),
        # One report that passes two rungs is judged at both.
        ((), [(30, 0.05)], [(0.1, 0.01), (0.1,), (0.1,)], ((0.05, 0.05), True)),
        # It was judged at the first rung before, when there were no others.
        ((0.9,), [(20, 0.8)], [(0.1,)] * 3, ((0.9,), False)),
        ((0.9,), [(20, 0.8), (30, 0.7)], [(0.1, 0.1)] * 3, ((0.9, 0.7), True)),
    ],
)
def test_a_trial_is_judged_once_at_each_rung(
    rungs: tuple[float, ...],
    points: list[tuple[int, float]],
    others: list[tuple[float, ...]],
    expected: tuple[tuple[float, ...], bool],
) -> None:
    judgement = judge(ASHA, Objective(), rungs, points, others)
    assert (judgement.rungs, judgement.stops) == expected
    mirrored = judge(
        ASHA,
        Objective(goal="maximize"),
        tuple(-value for value in rungs),
        [(step, -value) for step, value in points],
        [tuple(-value for value in other) for other in others],
    )
    assert (tuple(-value for value in mirrored.rungs), mirrored.stops) == expected
