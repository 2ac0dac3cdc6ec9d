"""The chaos run in its short form; `make chaos` is the long one."""

from pathlib import Path

import pytest

from chaos.rounds import LEAST_FAULTS, one_round

# One after another: their leases are of seconds, and each needs the machine's cores.
pytestmark = pytest.mark.xdist_group("whole machine")


def test_under_injected_faults_no_job_is_lost_none_runs_twice_and_weights_are_the_same(
    tmp_path: Path,
) -> None:
    done = one_round(tmp_path, seed=7, jobs=8, fault_seconds=15)
    assert done.proof.problems == []
    assert len(done.ends) == 12
    assert done.poisoned <= 1
    assert sum(done.history.fault_counts().values()) >= LEAST_FAULTS
