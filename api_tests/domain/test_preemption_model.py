"""Preemption whatever comes in whatever order: no circle, none in vain, nobody forgotten."""

import os

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from api_tests.support.preemption_model import PreemptionModel

_RUNS = int(os.environ.get("TRAINYARD_MODEL_RUNS", "60"))


def test_whoever_is_preempted_gives_its_place_to_who_asked_and_runs_again() -> None:
    run_state_machine_as_test(
        PreemptionModel,
        settings=settings(max_examples=_RUNS, stateful_step_count=50, deadline=None),
    )
