"""Searches that are asked to stop while they measure."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from torch import Tensor

from api_tests.support.attempts import ended, start, wait
from api_tests.support.digit_searches import Searched, TrainedSupernet, found, known
from workers.search.path_tree import PathTree

pytestmark = pytest.mark.xdist_group("training")

BATCHES_OF_GROUP = 3
"""Two for the statistics, and one of the images by which candidates are judged."""


@pytest.mark.parametrize("of_next", [1, 3])
def test_a_search_stops_between_two_batches_and_keeps_what_it_measured(
    supernet: TrainedSupernet, alone: Searched, tmp_path: Path, of_next: int
) -> None:
    last = 2 * BATCHES_OF_GROUP + of_next
    job_id, spec = supernet.new_job(), supernet.spec(at_once=1)
    first = supernet.attempt(spec, job_id)
    wait(start(first, ranks=2, before=partial(stop_at, last, tmp_path)))
    events = first.events_after(0)
    end = ended(events)
    assert end["outcome"] == "released"
    assert "goes on there" in end["message"]
    # Only rank 1 was asked; neither has begun another batch.
    assert [(tmp_path / f"rank-{rank}").read_text() for rank in (0, 1)] == [str(last)] * 2
    # Of two groups of two, and each of them is as the search has it that was left alone.
    measured = found(events)
    assert len(measured) == len(known(events)) == 4
    assert all(each in alone.table for each in measured)


def stop_at(batch: int, folder: Path) -> None:
    """Rank 1 is asked to stop while it computes a batch; each notes how many it has begun."""
    rank = os.environ["RANK"]
    logits = PathTree.logits
    begun = 0

    def noted(tree: PathTree, images: Tensor) -> Iterator[tuple[int, Tensor]]:
        nonlocal begun
        begun += 1
        (folder / f"rank-{rank}").write_text(str(begun))
        if rank == "1" and begun == batch:
            os.kill(os.getpid(), signal.SIGTERM)
        yield from logits(tree, images)

    PathTree.logits = noted  # type: ignore[method-assign]
