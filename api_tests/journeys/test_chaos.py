"""The chaos run in its short form; `make chaos` is the long one."""

import os
from pathlib import Path

import pytest

from api_tests.journeys.chaos import one_round


@pytest.mark.skipif(
    "TRAINYARD_CHAOS" not in os.environ,
    reason="set TRAINYARD_CHAOS=1: it has not been run often enough to guard every commit",
)
@pytest.mark.timeout(300)
def test_in_a_storm_no_job_is_lost_none_runs_twice_and_the_weights_are_those_of_a_calm_day(
    tmp_path: Path,
) -> None:
    done = one_round(tmp_path, seed=7, jobs=12, storm_seconds=20)
    assert done.problems == []
    assert len(done.ends) == 14
    assert sum(done.history.faults().values()) >= 5
