"""The chaos run in its short form; `make chaos` is the long one."""

from pathlib import Path

import pytest

from chaos.rounds import one_round


@pytest.mark.timeout(300)
def test_in_a_storm_no_job_is_lost_none_runs_twice_and_the_weights_are_those_of_a_calm_day(
    tmp_path: Path,
) -> None:
    done = one_round(tmp_path, seed=7, jobs=8, storm_seconds=15)
    assert done.proof.problems == []
    assert len(done.ends) == 10
    assert done.poisoned <= 1
    assert sum(done.history.faults().values()) >= 3
