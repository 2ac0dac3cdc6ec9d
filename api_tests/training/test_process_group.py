"""The groups that ranks join, and how long they wait in each."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.parallel import DistributedDataParallel

from api_tests.support.attempts import attempt, draw_photos, ended, final_digest, run
from workers.training import distributed, gradient_averaging, process_group

pytestmark = pytest.mark.xdist_group("training")


def use_a_group_for_gradients() -> None:
    """As on devices, with gloo in the place of NCCL."""
    join = process_group.join_groups
    new_group = process_group.dist.new_group

    def of_gloo(*, backend: str, timeout: timedelta) -> Any:
        assert backend == "nccl"
        return new_group(backend="gloo", timeout=timeout)

    def grouped(*arguments: Any, process_group: Any, **named: Any) -> DistributedDataParallel:
        assert process_group is not None
        return DistributedDataParallel(*arguments, process_group=process_group, **named)

    process_group.dist.new_group = of_gloo  # type: ignore[assignment]
    gradient_averaging.DistributedDataParallel = grouped  # type: ignore[assignment,misc]
    distributed.join_groups = lambda _: join(torch.device("cuda"))


class Joins:
    """What is given to torch.distributed to join groups."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.groups: list[tuple[str, timedelta]] = []
        monkeypatch.setattr(process_group, "_store", lambda: (None, 0, 2))
        monkeypatch.setattr(process_group.dist, "init_process_group", self._join)
        monkeypatch.setattr(process_group.dist, "new_group", self._join)

    def _join(self, backend: str, *, timeout: timedelta, **_: Any) -> None:
        self.groups.append((backend, timeout))


def test_on_the_cpu_there_is_one_group(monkeypatch: pytest.MonkeyPatch) -> None:
    joins = Joins(monkeypatch)
    process_group.join_groups(torch.device("cpu"))
    assert joins.groups == [("gloo", process_group.TIMEOUT)]


def test_gloo_has_said_who_is_silent_before_nccl_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    joins = Joins(monkeypatch)
    process_group.join_groups(torch.device("cuda"))
    (gloo, gloo_timeout), (nccl, nccl_timeout) = joins.groups
    assert (gloo, nccl) == ("gloo", "nccl")
    assert gloo_timeout == timedelta(minutes=3)
    # A step, and the last words of the other rank, are between the two.
    assert nccl_timeout == timedelta(minutes=6)


def test_gradients_in_a_group_of_their_own_give_the_same_weights(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for volume in (one, two):
        draw_photos(volume)
    assert ended(run(attempt(one), ranks=2))["outcome"] == "succeeded"
    events = run(attempt(two), ranks=2, before=use_a_group_for_gradients)
    assert ended(events)["outcome"] == "succeeded"
    assert final_digest(one) == final_digest(two)


@pytest.mark.parametrize(("visible", "device"), [(1, 0), (2, 1)])
def test_a_rank_takes_its_own_device_of_all_that_it_sees(
    monkeypatch: pytest.MonkeyPatch, visible: int, device: int
) -> None:
    current: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: visible)
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    with distributed.joined({"LOCAL_RANK": "1"}) as ranks:
        assert current == [ranks.device] == [torch.device("cuda", device)]
