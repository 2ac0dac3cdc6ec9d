"""The execution that a run takes: as its parameters name it, as before, or the fastest."""

from collections.abc import Callable
from typing import Any

import pytest

from api_tests.support.tiny_training import A_DAY, CHANNELS_LAST, CPU, ticking
from workers.data.errors import InvalidData
from workers.recipes.params import RecipeParams
from workers.training import calibration_of_run, execution_choice
from workers.training import execution as executions
from workers.training.attempt_results import Stopped
from workers.training.calibration_of_run import fastest
from workers.training.execution import ORIGINAL, Execution
from workers.training.execution_choice import is_long, usual_execution


def test_a_short_run_is_not_measured(choosing: Callable[..., Any]) -> None:
    choice, notes = choosing()
    assert choice.execution == usual_execution(CPU) == CHANNELS_LAST
    assert choice.sentence == "computes in fp32, channels_last, eager, fused update"
    assert notes == []


def test_a_long_run_is_measured_once_on_a_worker(choosing: Callable[..., Any]) -> None:
    assert is_long(RecipeParams(**A_DAY), CPU)
    choice, _ = choosing(clock=ticking(), compile="off", **A_DAY)
    assert "measured" in choice.sentence
    assert "images/s fp32, contiguous, eager, fused update" in choice.sentence
    # The clock of the second would fail it.
    again, notes = choosing(compile="off", **A_DAY)
    assert again == choice
    assert notes == []


def test_a_run_that_is_asked_to_stop_while_it_is_measured_stops(
    choosing: Callable[..., Any],
) -> None:
    with pytest.raises(Stopped, match="before its first step"):
        choosing(clock=ticking(), stop_asked=lambda: True, **A_DAY)


def test_what_was_measured_is_known_although_the_compile_did_not_end(
    choosing: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(calibration_of_run, "compile_trial", killed)
    with pytest.raises(KeyboardInterrupt):
        choosing(clock=ticking(), **A_DAY)
    # The clock of the second would fail it.
    choosing(compile="off", **A_DAY)


@pytest.mark.parametrize(
    ("missing", "params", "message"),
    [
        ("compiler", {"compile": "on"}, "no C++ compiler (no-such-compiler); use compile auto"),
        ("bf16", {"precision": "bf16"}, "cpu has no bfloat16 instructions; use precision auto"),
    ],
)
def test_what_the_worker_cannot_do_is_refused_with_what_to_change(
    choosing: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    params: dict[str, Any],
    message: str,
) -> None:
    _take_away(monkeypatch, missing)
    with pytest.raises(InvalidData) as refusal:
        choosing(**params)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("missing", "saved"),
    [
        ("compiler", Execution(compiled=True, fused=True)),
        ("bf16", Execution("bf16", "channels_last", fused=True)),
    ],
)
def test_a_resumed_run_goes_on_as_before_or_says_what_this_worker_lacks(
    choosing: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    saved: Execution,
) -> None:
    monkeypatch.setattr(execution_choice, "computes_bf16", lambda _: True)
    choice, notes = choosing(saved, **A_DAY)
    assert (choice.execution, notes) == (saved, [])
    _take_away(monkeypatch, missing)
    choice, notes = choosing(saved, **A_DAY)
    assert choice.execution == Execution(memory_format=saved.memory_format, fused=True)
    assert "bit for bit cannot be promised" in notes[0]


def _take_away(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    if missing == "compiler":
        monkeypatch.setenv("CXX", "no-such-compiler")
    for module in (executions, execution_choice):
        monkeypatch.setattr(module, "computes_bf16", lambda _: missing != "bf16")


def test_what_a_parameter_names_holds_and_parity_is_the_original(
    choosing: Callable[..., Any],
) -> None:
    named, _ = choosing(CHANNELS_LAST, memory_format="contiguous")
    assert named.execution == Execution(fused=True)
    assert choosing(CHANNELS_LAST, parity=True)[0].execution == ORIGINAL


def test_bf16_must_gain_more_than_a_memory_format() -> None:
    bf16 = Execution("bf16", "channels_last", fused=True)
    assert fastest({Execution(fused=True): 1.0, CHANNELS_LAST: 0.99}) == CHANNELS_LAST
    assert fastest({bf16: 0.95, CHANNELS_LAST: 1.0}) == CHANNELS_LAST
    assert fastest({bf16: 0.85, CHANNELS_LAST: 1.0}) == bf16
