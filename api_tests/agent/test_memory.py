"""Ranks that the kernel kills where memory runs out, in a control group with little of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker

LIMIT_BYTES = 128 << 20
LIMITS = {
    Path("/sys/fs/cgroup/memory"): ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
    Path("/sys/fs/cgroup"): ("memory.max", "memory.swap.max"),
}


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A new control group whose processes may have little memory together."""
    root, (limit, swap_limit) = next(each for each in LIMITS.items() if each[0].is_dir())
    group = root / f"trainyard-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(LIMIT_BYTES))
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    if (group / swap_limit).exists():
        (group / swap_limit).write_text(str(LIMIT_BYTES if "memsw" in swap_limit else 0))
    yield group

    def is_removed() -> bool:
        try:
            group.rmdir()
        except OSError:
            return False
        return True

    eventually(is_removed)


def test_a_rank_that_the_kernel_kills_for_want_of_memory_is_out_of_memory_and_is_told_a_batch_size(
    control_plane: FakeControlPlane, small_group: Path, start_worker: StartWorker
) -> None:
    worker = start_worker(ranks="takes_all_memory")
    worker.titled("warm")
    for process in (worker.process, *worker.tree()):
        (small_group / "cgroup.procs").write_text(str(process.pid))
    claim = a_claim(params={"batch_size": 512})
    report = control_plane.report_of(control_plane.offer(claim))
    assert (report.outcome, report.reason) == ("failed", "out_of_memory")
    assert report.message.startswith("rank 0 was killed (signal 9), as memory ran out; try accu")
    assert "batch_size 256" in report.message
    assert worker.process.poll() is None
