"""Searches that end between the publication of their best path and their own end."""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from api_tests.support.attempts import ended, final_digest, final_folder, kill, run, start
from api_tests.support.digit_searches import Searched, TrainedSupernet, known
from service.contract.agent import ReportedEvent
from workers.attempt_dir import AttemptDir
from workers.checkpoints.folder import checkpoints_in
from workers.search import found, publication

pytestmark = pytest.mark.xdist_group("training")


def die(*_: object, **__: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die_before_it_tells() -> None:
    """The rank dies once it has published the best path, and before it reports that."""
    publication._report = die


def die_once_it_has_told() -> None:
    """The rank dies once the report is written, and before the search has its files and its end."""

    def write_search(folder: Path, *_: object) -> NoReturn:
        while not _reported(AttemptDir(folder.parent).events_after(0)):
            pass
        die()

    found.write_search = write_search


def _reported(events: Sequence[ReportedEvent]) -> list[str]:
    """The ids of the checkpoints that were reported."""
    return [e.body["checkpoint"]["checkpoint_id"] for e in events if e.kind == "checkpoint"]


@pytest.mark.parametrize(
    ("before", "ranks", "told"), [(die_before_it_tells, 2, 0), (die_once_it_has_told, 1, 1)]
)
def test_a_search_that_is_killed_after_it_has_published_publishes_nothing_more(
    supernet: TrainedSupernet,
    alone: Searched,
    before: Callable[[], None],
    ranks: int,
    told: int,
) -> None:
    job_id, spec = supernet.new_job(), supernet.spec(at_once=4)
    first = supernet.attempt(spec, job_id, 1)
    processes = start(first, ranks=ranks, before=before)
    processes[0].join(120)
    kill(processes)
    events = first.events_after(0)
    assert processes[0].exitcode == -signal.SIGKILL
    assert len(_reported(events)) == told
    assert final_folder(supernet.volume, job_id).parent.name == "1"
    events = run(supernet.attempt(spec, job_id, 2, candidates=known(events)), ranks=ranks)
    # There is one alone, and it is told of, whether or not it was before.
    ((_, manifest),) = checkpoints_in(final_folder(supernet.volume, job_id))
    assert _reported(events) == [manifest.checkpoint_id]
    result = ended(events)["result"]
    assert result["checkpoint_id"] == manifest.checkpoint_id
    left = {name: value for name, value in alone.result.items() if name != "files"}
    assert result | left == result | {"checkpoint_id": left["checkpoint_id"]}
    assert final_digest(supernet.volume, job_id) == final_digest(supernet.volume, alone.job_id)


def test_a_published_path_that_is_damaged_is_published_anew(
    supernet: TrainedSupernet, alone: Searched
) -> None:
    job_id, spec = supernet.new_job(), supernet.spec(at_once=4)
    first = run(supernet.attempt(spec, job_id, 1, candidates=known(alone.events)))
    file = final_folder(supernet.volume, job_id) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    second = run(supernet.attempt(spec, job_id, 2, candidates=known(alone.events)))
    assert len({*_reported(first), *_reported(second)}) == 2
    notes = [event.body["message"] for event in second if event.kind == "note"]
    assert any("has published of the best path is damaged" in note for note in notes)
