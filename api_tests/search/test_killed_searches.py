"""Searches of more candidates than a group has, killed at any moment, also within a group."""

import os
import signal
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from multiprocessing.connection import wait as wait_for_any
from random import Random
from typing import Any

import pytest

from api_tests.support.attempts import PATIENCE_SECONDS, ended, final_digest, kill, run, start
from api_tests.support.digit_searches import Searched, TrainedSupernet, found, known
from service.contract.candidates import Candidate
from workers.search.batches import SearchBatches

pytestmark = pytest.mark.xdist_group("training")

PARAMS: dict[str, Any] = {
    "generations": 2,
    "population": 60,
    "parents": 10,
    "mutations": 20,
    "crossovers": 20,
    "recalibration_batches": 1,
    "recalibration_batch_size": 8,
    "fitness_images": 16,
}
BATCHES = 2
"""That each candidate sees: one for its statistics, and one by which it is judged."""


@pytest.fixture(scope="module")
def alone(supernet: TrainedSupernet) -> Searched:
    """The search by one candidate at a time, which nothing has disturbed."""
    searched = supernet.searched(at_once=1, **PARAMS)
    assert len(searched.table) == 120
    return searched


@pytest.mark.parametrize(("ranks", "at_once", "seed"), [(1, 8, 1), (1, 50, 2), (2, 8, 4)])
def test_a_search_that_is_killed_within_any_group_ends_as_one_that_was_left_alone(
    supernet: TrainedSupernet, alone: Searched, ranks: int, at_once: int, seed: int
) -> None:
    groups = _groups(alone.table, ranks * at_once)
    assert {len(group) for group in groups} > {ranks * at_once}, "a group is a whole population"
    units = sum(_units(group[: len(group) // ranks]) for group in groups) * BATCHES
    moment = Random(seed).randrange(units)
    job_id, spec = supernet.new_job(), supernet.spec(at_once=at_once, **PARAMS)
    first = supernet.attempt(spec, job_id, 1)
    processes = start(first, ranks=ranks, before=partial(die_after, moment))
    assert wait_for_any([each.sentinel for each in processes], PATIENCE_SECONDS)
    kill(processes)
    assert {each.exitcode for each in processes} == {-signal.SIGKILL}
    measured = found(first.events_after(0))
    assert len(measured) < 120
    # Of whole groups: what was in flight is lost, and nothing else.
    assert len(measured) in [sum(map(len, groups[:count])) for count in range(len(groups))]
    events = run(
        supernet.attempt(spec, job_id, 2, candidates=known(first.events_after(0))), ranks=ranks
    )
    assert found(events) == alone.table
    assert ended(events)["result"]["best"] == alone.result["best"]
    assert final_digest(supernet.volume, job_id) == final_digest(supernet.volume, alone.job_id)


def die_after(units: int) -> None:
    """The rank is killed once it has computed so many units of paths."""
    asked = iter(range(units))
    goes_on = SearchBatches.goes_on

    def goes_on_or_dies(batches: SearchBatches) -> bool:
        if next(asked, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return goes_on(batches)

    SearchBatches.goes_on = goes_on_or_dies  # type: ignore[method-assign]


def _groups(table: Sequence[Candidate], size: int) -> list[list[str]]:
    """The paths of each group that a search measures, in their order."""

    groups: list[list[str]] = []
    for _, generation in groupby(table, key=lambda candidate: candidate.generation):
        paths = sorted(each.blocks for each in generation)
        groups += [paths[first : first + size] for first in range(0, len(paths), size)]
    return groups


def _units(paths: Sequence[str]) -> int:
    """How many units compute a batch once for all of these: their distinct beginnings."""
    return sum(len({path[:places] for path in paths}) for places in range(1, 21))
