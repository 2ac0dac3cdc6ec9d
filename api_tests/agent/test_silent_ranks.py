"""A rank that hangs when another has ended: its attempt ends, and says what the other said."""

from collections.abc import Callable
from typing import Any

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker, Worker, all_ended
from service.contract.agent import Report

LAST_RANKS = {"workers.launcher.local.launcher.LAST_RANKS_SECONDS": 1.0}
ENDLESS = {
    "total_iters": 100_000,
    "save_interval": 100_000,
    "val_interval": 100_000,
    "data_workers": 2,
}
QUICK = {"heartbeat_seconds": 0.2}
StartRanks = Callable[..., tuple[Worker, Callable[[], Report]]]


@pytest.fixture
def start_ranks(control_plane: FakeControlPlane, start_worker: StartWorker) -> StartRanks:
    """Starts two ranks of a job, of which one `hangs`; gives the worker and a wait for the report.

    By the report nothing that ran below the worker is left but the warm process.
    """

    def start(ranks: str, hangs: int, until: str | None = None, **how: Any) -> Any:
        worker = start_worker(ranks=ranks, constants=LAST_RANKS)
        held = control_plane.offer(a_claim(ranks=2, lease=QUICK, **how))
        if until is not None:
            control_plane.wait_for(lambda: until in held.kinds())
        eventually(lambda: worker.has_rank(hangs))
        warm = worker.titled("warm")
        tree = [each for each in worker.tree() if each != warm]

        def report() -> Report:
            report = control_plane.report_of(held)
            assert all_ended(tree)
            return report

        return worker, report

    return start


@pytest.mark.parametrize(("stopped", "other"), [(1, 0), (0, 1)])
def test_a_rank_that_was_stopped_is_killed_once_another_has_given_up(
    start_ranks: StartRanks, stopped: int, other: int
) -> None:
    worker, report_of = start_ranks(
        "torch_ranks:waits_briefly", stopped, "progress", params=ENDLESS
    )
    worker.rank(stopped).suspend()
    report = report_of()
    assert (report.outcome, report.reason) == ("failed", "stalled")
    assert "another rank did not answer" in report.message
    assert f"rank {stopped} was silent, and was killed" in report.message
    assert f"rank {other} was silent" not in report.message


@pytest.mark.parametrize("hangs", [0, 1])
def test_a_rank_that_hangs_before_it_joins_is_killed_once_another_has_given_up(
    start_ranks: StartRanks, hangs: int
) -> None:
    _, report_of = start_ranks(f"torch_ranks:{['first', 'second'][hangs]}_never_joins", hangs)
    report = report_of()
    assert (report.outcome, report.reason) == ("failed", "crashed")
    assert "the ranks could not meet" in report.message


def test_a_rank_whose_data_is_wrong_ends_the_attempt_though_the_first_still_opens_its_own(
    start_ranks: StartRanks,
) -> None:
    _, report_of = start_ranks("torch_ranks:second_finds_no_data", 0)
    report = report_of()
    assert (report.outcome, report.reason) == ("failed", "invalid_data")
    assert report.message == "no such image; rank 0 was silent, and was killed"


def test_a_rank_that_hangs_after_the_first_has_succeeded_costs_its_job_nothing(
    start_ranks: StartRanks,
) -> None:
    _, report_of = start_ranks("ranks:second_never_ends", 1)
    report = report_of()
    assert (report.outcome, report.reason) == ("succeeded", "finished")
    assert report.message == "rank 1 was silent, and was killed"


def test_ranks_wait_for_a_first_one_that_saves_longer_than_the_last_may_take(
    start_ranks: StartRanks,
) -> None:
    short = {"total_iters": 1, "bn_recalibration_iters": 1}
    _, report_of = start_ranks("torch_ranks:first_saves_slowly", 0, params=short)
    report = report_of()
    assert (report.outcome, report.reason, report.message) == ("succeeded", "finished", "")
