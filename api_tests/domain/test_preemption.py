"""Who is asked to give a place to whom."""

from typing import Any

from api_tests.support.preemption_yard import a_capacity, a_queued_job, a_running_job
from service.domain.placement import Capacity, QueuedJob, WorkerLocation
from service.domain.preemption import RunningJob, preemptions


def asked(
    queue: list[QueuedJob],
    capacities: list[Capacity],
    running: list[RunningJob],
    losses: Any = None,
) -> list[tuple[str, str, list[str]]]:
    return [
        (each.job.id, each.worker_id, [victim.id for victim in each.victims])
        for each in preemptions(queue, capacities, running, losses or {})
    ]


def test_a_job_of_lower_priority_is_asked_where_no_place_is_free() -> None:
    urgent = a_queued_job("u", priority=5)
    running = [a_running_job("low", "w")]
    assert asked([urgent], [a_capacity("w")], running) == [("u", "w", ["low"])]


def test_a_job_that_finds_a_place_asks_nobody() -> None:
    urgent = a_queued_job("u", priority=5)
    capacities = [a_capacity("w"), a_capacity("free", slots=1)]
    assert asked([urgent], capacities, [a_running_job("low", "w")]) == []


def test_neither_an_equal_nor_a_higher_nor_a_protected_job_is_asked() -> None:
    urgent = a_queued_job("u", priority=5)
    capacities = [a_capacity(name) for name in ("equal", "higher", "protected")]
    running = [
        a_running_job("a", "equal", priority=5),
        a_running_job("b", "higher", priority=6),
        a_running_job("c", "protected", is_victim=False),
    ]
    assert asked([urgent], capacities, running) == []


def test_a_place_that_becomes_free_anyway_is_waited_for() -> None:
    urgent = a_queued_job("u", priority=5)
    running = [
        a_running_job("low", "w"),
        a_running_job("cancelled", "w", is_victim=False, is_stopping=True),
    ]
    assert asked([urgent], [a_capacity("w")], running) == []


def test_two_urgent_jobs_have_a_place_each() -> None:
    queue = [a_queued_job("u", priority=5), a_queued_job("v", priority=5)]
    running = [a_running_job("a", "w", ran=20), a_running_job("b", "w", ran=10)]
    assert asked(queue, [a_capacity("w")], running) == [("u", "w", ["b"]), ("v", "w", ["a"])]


def test_the_fewest_are_asked_then_the_lowest_priority_then_the_youngest() -> None:
    urgent = a_queued_job("u", priority=5, gpus=4)
    capacities = [a_capacity("many", gpus=(8, 0)), a_capacity("one", gpus=(8, 0))]
    pair = [a_running_job(name, "many", gpus=2) for name in ("p", "q")]
    one = [
        a_running_job("narrow", "one", gpus=2, priority=-9),
        a_running_job("above", "one", gpus=4, priority=1),
        a_running_job("old", "one", gpus=4, ran=90),
        a_running_job("young", "one", gpus=4, ran=80),
    ]
    assert asked([urgent], capacities, pair + one) == [("u", "one", ["young"])]
    assert asked([urgent], capacities, pair + one[:3]) == [("u", "one", ["old"])]
    assert asked([urgent], capacities, pair + one[:2]) == [("u", "one", ["above"])]
    assert asked([urgent], capacities, pair + one[:1]) == [("u", "many", ["p", "q"])]


def test_what_is_free_or_becomes_free_counts_so_that_none_is_asked_for_nothing() -> None:
    urgent = a_queued_job("u", priority=5, gpus=4)
    running = [
        a_running_job("wide", "w", gpus=2),
        a_running_job("narrow", "w", gpus=1, ran=99),
        a_running_job("stops", "w", gpus=1, is_stopping=True),
    ]
    capacity = a_capacity("w", gpus=(6, 2))
    assert asked([urgent], [capacity], running) == [("u", "w", ["narrow"])]


def test_a_job_that_not_even_all_places_help_asks_nobody() -> None:
    urgent = a_queued_job("u", priority=5, gpus=4)
    running = [
        a_running_job("low", "w", gpus=2),
        a_running_job("protected", "w", gpus=2, is_victim=False),
    ]
    assert asked([urgent], [a_capacity("w", gpus=(4, 0))], running) == []


def test_a_worker_that_cannot_run_the_job_is_left_alone() -> None:
    urgent = a_queued_job("u", priority=5, labels={"zone": "a"})
    capacities = [a_capacity("w"), a_capacity("z", labels={"zone": "a"})]
    running = [a_running_job("low", "w"), a_running_job("other", "z", ran=99)]
    assert asked([urgent], capacities, running) == [("u", "z", ["other"])]


def test_a_last_try_asks_on_another_worker_than_where_it_was_lost() -> None:
    urgent = a_queued_job("u", priority=5, worker_losses=2)
    capacities = [a_capacity("w"), a_capacity("z")]
    running = [a_running_job("low", "w"), a_running_job("other", "z", ran=99)]
    losses = {"u": [WorkerLocation("w", "w")]}
    assert asked([urgent], capacities, running, losses) == [("u", "z", ["other"])]


def test_a_job_asks_once_on_a_worker_while_it_waits() -> None:
    running = [a_running_job("low", "w"), a_running_job("other", "z", ran=99)]
    capacities = [a_capacity("w"), a_capacity("z")]
    again = a_queued_job("u", priority=5, asked={"w"})
    assert asked([again], capacities, running) == [("u", "z", ["other"])]
    assert asked([a_queued_job("u", priority=5, asked={"w", "z"})], capacities, running) == []


def test_a_job_behind_asks_for_no_place_that_is_kept_for_a_wide_one_ahead() -> None:
    wide = a_queued_job("wide", priority=6, gpus=4)
    urgent = a_queued_job("u", priority=5, gpus=1)
    running = [
        a_running_job("low", "w", gpus=1),
        a_running_job("protected", "w", gpus=3, is_victim=False),
    ]
    capacities = [a_capacity("w", gpus=(4, 0))]
    assert asked([wide, urgent], capacities, running) == []
    assert asked([urgent], capacities, running) == [("u", "w", ["low"])]


def test_of_a_worker_of_several_hosts_jobs_give_their_hosts_back() -> None:
    urgent = a_queued_job("u", priority=5, gpus=4, hosts=3)
    running = [
        a_running_job("one", "w", gpus=1),
        a_running_job("two", "w", gpus=4, hosts=2, ran=99),
        a_running_job("three", "w", gpus=4, hosts=2),
    ]
    capacity = a_capacity("w", gpus=(4, 4), hosts=8, slots=1)
    assert asked([urgent], [capacity], running) == [("u", "w", ["three"])]
    assert asked([urgent], [capacity], running[:1]) == []
