"""What a search tells of its progress, by a clock that turns half a minute for each group."""

from collections.abc import Sequence
from typing import Any

import pytest

from api_tests.support.attempts import run
from api_tests.support.digit_searches import Searched, TrainedSupernet, known
from service.contract.agent import ReportedEvent
from service.contract.candidates import Fitness
from workers.runs import rank
from workers.search import measuring

pytestmark = pytest.mark.xdist_group("training")

SECONDS = 30.0
"""Of each group, however many it measures."""
IMAGES = 2 * 16 + 64
"""Of a candidate: two batches for its statistics, and those by which it is judged."""


def turn_the_clock() -> None:
    """In the rank it is as late as the groups take that it has measured."""
    seconds = [0.0]
    measured = measuring.measured

    def measured_later(*arguments: Any) -> list[Fitness]:
        seconds[0] += SECONDS
        return measured(*arguments)

    measuring.measured = measured_later
    rank.monotonic = lambda: seconds[0]


def test_a_search_tells_after_each_group_how_many_are_left_and_how_long_they_take(
    supernet: TrainedSupernet,
) -> None:
    attempt_dir = supernet.attempt(supernet.spec(), supernet.new_job())
    events = _progress(run(attempt_dir, before=turn_the_clock))
    # Groups of three, and what is left of each population.
    assert [event.body for event in events] == _told(3, 2, 3, 2, 3, 2)
    assert "\n3 of 15 candidates\n" in (attempt_dir.folder / "log.txt").read_text()


def test_what_is_known_already_makes_the_rest_no_faster(
    supernet: TrainedSupernet, alone: Searched
) -> None:
    candidates = known(alone.events)[:6]
    attempt_dir = supernet.attempt(supernet.spec(), supernet.new_job(), candidates=candidates)
    first, *others = _progress(run(attempt_dir, before=turn_the_clock))
    # The first population is told of at once, and one of the second.
    assert first.body == {"phase": "search", "step": 5, "total_steps": 15}
    assert others[0].body == {"phase": "search", "step": 6, "total_steps": 15}
    assert [event.body for event in others[1:]] == _told(3, 1, 3, 2, known=6)


def _told(*groups: int, known: int = 0) -> list[dict[str, Any]]:
    """The progress after each group of so many candidates."""
    told, measured = [], 0
    for number, group in enumerate(groups, start=1):
        measured += group
        left = 15 - known - measured
        speed = {
            "images_per_second": pytest.approx(group * IMAGES / SECONDS),
            "eta_seconds": pytest.approx(left * SECONDS * number / measured),
        }
        told.append({"phase": "search", "step": 15 - left, "total_steps": 15} | speed)
    return told


def _progress(events: Sequence[ReportedEvent]) -> list[ReportedEvent]:
    return [event for event in events if event.kind == "progress"]
