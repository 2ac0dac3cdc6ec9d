"""A volume on which every write hangs: the training goes on."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
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
from workers.checkpoints.folder import checkpoints_in, verify

pytestmark = pytest.mark.xdist_group("training")

_WORK_SECONDS = 3.0
"""What the rank computes while its volume hangs: more than a step and the start of a save."""


class Freezer:
    """A file system of its own, frozen by the kernel: writers wait until it is thawed."""

    def __init__(self, volume: Path) -> None:
        self.volume = volume

    def freeze(self) -> None:
        """From now on no write returns."""
        subprocess.run(["fsfreeze", "--freeze", self.volume], check=True)

    def thaw(self) -> None:
        """Let them all return."""
        subprocess.run(["fsfreeze", "--unfreeze", self.volume], check=False, capture_output=True)


@pytest.fixture
def freezer(tmp_path: Path) -> Iterator[Freezer]:
    volume, image = tmp_path / "volume", tmp_path / "image"
    volume.mkdir()
    with image.open("wb") as file:
        file.truncate(1 << 30)
    for command in (["mkfs.ext4", "-q", image], ["mount", "-o", "loop", image, volume]):
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            pytest.skip(f"there is no {command[0]}")
        if done.returncode:
            pytest.skip(f"only root may mount a volume: {done.stderr.strip()}")
    freezer = Freezer(volume)
    yield freezer
    freezer.thaw()
    subprocess.run(["umount", "--lazy", volume], check=True)


def test_a_training_goes_on_while_its_volume_hangs_and_tells_of_it_afterwards(
    freezer: Freezer,
) -> None:
    draw_photos(freezer.volume)
    spec = train_spec(total_iters=240, save_interval=8, val_interval=50, bn_recalibration_iters=1)
    attempt_dir = attempt(freezer.volume, spec=spec)
    processes = start(attempt_dir, before=impatient)
    until(lambda: len(checkpoints_in(freezer.volume)) > 1, processes)
    rank = psutil.Process(processes[0].pid)
    freezer.freeze()
    frozen, before = datetime.now(UTC), rank.cpu_times().user
    shown = shown_step(attempt_dir)
    until(lambda: rank.cpu_times().user > before + _WORK_SECONDS, processes)
    assert shown_step(attempt_dir) <= shown + 1
    thawed = datetime.now(UTC)
    freezer.thaw()
    wait(processes)
    events = attempt_dir.events_after(0)
    assert ended(events)["outcome"] == "succeeded"
    progress = [event for event in events if event.kind == "progress"]
    assert [event.body["step"] for event in progress] == list(range(1, 242))
    # Saves were left out, validations were not.
    assert sum(frozen < event.at < thawed for event in progress) > 20
    assert all(verify(folder) == [] for folder, _ in checkpoints_in(freezer.volume))


def impatient() -> None:
    """A hang of tenths of a second is long."""
    from workers.training import checkpoint_publisher

    checkpoint_publisher._STUCK_SECONDS = 0.2
