import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.contract.agent import REASONS
from service.contract.jobs import Reason
from service.domain.retry import FAULTS, RetryCounters, RetryDecision, decide


def decision_after(
    reason: Reason, *, failures: int = 0, worker_losses: int = 0, limit: int = 2
) -> RetryDecision:
    counters = RetryCounters(failures, worker_losses, limit)
    return decide(reason, counters, backoff_seconds=10.0, jitter=1.0)


@pytest.mark.parametrize("reason", [Reason.PREEMPTED, Reason.RELEASED, Reason.NOT_STARTED])
def test_an_end_that_is_nobodys_fault_costs_nothing_and_waits_for_nothing(reason: Reason) -> None:
    decision = decision_after(reason, failures=2, worker_losses=2)
    assert decision == RetryDecision(True, reason, failures=2, worker_losses=2)


def test_a_lost_worker_is_made_up_for_at_once_and_costs_no_failure() -> None:
    reason = Reason.WORKER_LOST
    assert decision_after(reason, worker_losses=1) == RetryDecision(
        True, reason, failures=0, worker_losses=2
    )


def test_a_full_volume_costs_nothing_and_is_waited_for_as_long_as_it_lasts() -> None:
    decision = decision_after(Reason.DISK_FULL, failures=2, worker_losses=2)
    assert decision == RetryDecision(
        True, Reason.DISK_FULL, failures=2, worker_losses=2, wait_seconds=120
    )


def test_a_machines_fault_that_lasts_costs_no_failure_and_is_given_time_to_be_mended() -> None:
    first, second = (
        decision_after(Reason.WORKER_UNFIT),
        decision_after(Reason.WORKER_UNFIT, worker_losses=1),
    )
    assert (first.retry, first.failures, first.worker_losses) == (True, 0, 1)
    assert (first.wait_seconds, second.wait_seconds) == (10, 20)


@pytest.mark.parametrize("reason", [Reason.WORKER_LOST, Reason.WORKER_UNFIT])
def test_the_third_loss_in_a_row_is_poison(reason: Reason) -> None:
    decision = decision_after(reason, worker_losses=2)
    assert (decision.retry, decision.reason) == (False, Reason.POISON)
    assert "3 times in a row" in decision.note


@pytest.mark.parametrize("reason", [Reason.CRASHED, Reason.STALLED])
def test_the_jobs_own_fault_costs_a_failure_until_they_are_spent(reason: Reason) -> None:
    first, second = decision_after(reason), decision_after(reason, failures=1)
    assert (first.retry, first.failures, first.worker_losses) == (True, 1, 0)
    assert (second.retry, second.failures) == (True, 2)
    third = decision_after(reason, failures=2)
    assert (third.retry, third.reason) == (False, reason)
    assert "max_failures is 2" in third.note


def test_a_job_without_failures_to_spend_ends_with_the_first() -> None:
    assert not decision_after(Reason.CRASHED, limit=0).retry


@pytest.mark.parametrize(
    "reason",
    [
        Reason.INVALID_DATA,
        Reason.NON_FINITE_LOSS,
        Reason.OUT_OF_MEMORY,
        Reason.INCOMPATIBLE_CHECKPOINT,
    ],
)
def test_a_fault_that_cannot_heal_ends_the_job_at_once(reason: Reason) -> None:
    assert decision_after(reason) == RetryDecision(False, reason, failures=0, worker_losses=0)


def test_the_wait_doubles_with_each_failure_up_to_ten_minutes() -> None:
    waits = [decision_after(Reason.CRASHED, failures=n, limit=50).wait_seconds for n in range(8)]
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600]


def test_the_hundredth_failure_still_has_a_wait() -> None:
    assert decision_after(Reason.CRASHED, failures=99, limit=100).wait_seconds == 600


@given(jitter=st.floats(0, 1), failures=st.integers(0, 20))
def test_the_jitter_keeps_a_wait_between_half_and_whole(jitter: float, failures: int) -> None:
    counters = RetryCounters(failures, 0, 100)
    decision = decide(Reason.CRASHED, counters, backoff_seconds=10.0, jitter=jitter)
    whole = min(10.0 * 2**failures, 600.0)
    assert whole / 2 <= decision.wait_seconds <= whole


def test_every_reason_that_an_agent_may_give_without_success_has_a_fault() -> None:
    reportable = {reason for outcome in ("failed", "released") for reason in REASONS[outcome]}
    assert reportable <= set(FAULTS)
