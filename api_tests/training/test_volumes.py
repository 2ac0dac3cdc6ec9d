"""A volume that is full, or hangs: the run goes on, and nothing that was saved is lost."""

import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api_tests.support.attempts import (
    attempt,
    draw_photos,
    ended,
    shown_step,
    start,
    train_spec,
    until,
    wait,
)
from service.contract.checkpoints import FileDigest
from service.volume.disk import Disk
from workers.attempt_dir import AttemptDir
from workers.checkpoints.folder import checkpoints_in, verify

pytestmark = pytest.mark.xdist_group("training")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that holds one checkpoint, 20 MB, and no second."""
    volume = tmp_path / "volume"
    volume.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", volume], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"only root may mount a small volume: {mounted.stderr.strip()}")
    yield volume
    subprocess.run(["umount", "--lazy", volume], check=True)


def test_a_full_disk_fails_saves_until_there_is_space_and_the_run_goes_on(small: Path) -> None:
    draw_photos(small)
    spec = train_spec(total_iters=80, save_interval=8, val_interval=100, bn_recalibration_iters=1)
    attempt_dir = attempt(small, spec=spec)
    processes = start(attempt_dir)
    until(lambda: bool(notes(attempt_dir)), processes)
    assert [manifest.step for _, manifest in checkpoints_in(small)] == [8]
    told_at = shown_step(attempt_dir)
    subprocess.run(["mount", "-o", "remount,size=600m", small], check=True)
    wait(processes)
    events = attempt_dir.events_after(0)
    assert ended(events)["outcome"] == "succeeded"
    assert all("No space left on device" in note for note in notes(attempt_dir))
    found = checkpoints_in(small)
    assert all(verify(folder) == [] for folder, _ in found)
    steps = [manifest.step for _, manifest in found]
    assert steps[0] == 8
    assert steps[1] >= told_at
    assert steps[-2:] == [80, 81]
    assert not list(small.rglob(".tmp-*"))
    # Nothing that happened meanwhile is missing, and nothing was torn.
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


def hang() -> None:
    """The first checkpoint's writes do not return before the test lets them."""
    write = Disk.write

    def hanging(disk: Disk, path: Path, chunks: Iterable[bytes | memoryview]) -> FileDigest:
        while not (path.parents[1] / "the volume answers").exists():
            time.sleep(0.01)
        return write(disk, path, chunks)

    Disk.write = hanging  # type: ignore[method-assign]
    impatient()


def impatient() -> None:
    """Patience for tests: a hang of tenths of a second is long."""
    from workers.training import checkpoint_publisher

    checkpoint_publisher._STUCK_SECONDS = 0.2


def test_a_volume_that_hangs_holds_up_the_writer_and_the_run_goes_past_its_saves(
    tmp_path: Path,
) -> None:
    draw_photos(tmp_path)
    spec = train_spec(total_iters=40, save_interval=4, bn_recalibration_iters=1)
    attempt_dir = attempt(tmp_path, spec=spec)
    processes = start(attempt_dir, before=hang)
    # Five saves are due by then; the first is being written all the time.
    until(lambda: shown_step(attempt_dir) >= 20, processes)
    assert checkpoints_in(tmp_path) == []
    assert "no checkpoint at step 8: the one before is still being written" in notes(attempt_dir)
    (attempt_dir.folder / "the volume answers").touch()
    wait(processes)
    assert ended(attempt_dir.events_after(0))["outcome"] == "succeeded"
    found = checkpoints_in(tmp_path)
    assert found[0][1].step == 4
    assert all(verify(folder) == [] for folder, _ in found)


def notes(attempt_dir: AttemptDir) -> list[str]:
    return [event.body["message"] for event in attempt_dir.events_after(0) if event.kind == "note"]


@pytest.mark.parametrize("left_in_page", [0, 100])
def test_an_event_that_a_full_disk_does_not_take_is_written_before_the_next(
    small: Path, left_in_page: int
) -> None:
    attempt_dir, now = AttemptDir(small), datetime(2026, 1, 1, tzinfo=UTC)
    attempt_dir.append("note", {"message": ""}, now)
    # With nothing left in the file's page a write is refused, else it is cut off in a line.
    padding = "x" * (4096 - left_in_page - 2 * attempt_dir.events_path.stat().st_size)
    attempt_dir.append("note", {"message": padding}, now)
    with (small / "filler").open("wb", buffering=0) as filler:
        with suppress(OSError):
            while filler.write(bytes(1 << 16)):
                pass
        with pytest.raises(OSError, match="No space left on device"):
            attempt_dir.append("note", {"message": "y" * 10_000}, now)
        assert [event.seq for event in attempt_dir.events_after(0)] == [1, 2]
        assert attempt_dir.events_path.read_bytes().endswith(b"\n")
        filler.truncate(0)
    attempt_dir.append("note", {"message": "last"}, now)
    found = attempt_dir.events_after(0)
    assert [event.body["message"] for event in found] == ["", padding, "y" * 10_000, "last"]
    assert [event.seq for event in found] == [1, 2, 3, 4]
