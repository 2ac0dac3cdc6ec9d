"""A checkpoint is whole or absent, wherever the power is cut."""

import errno
import os
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch

from api_tests.support.checkpoint_folders import (
    RecordingDisk,
    attempt_folder,
    manifest_of,
    power_cuts,
    save,
    tensors,
)
from service.contract.checkpoints import FileDigest
from service.volume.disk import Disk
from workers.checkpoints.folder import latest_in, latest_resumable_in, sweep_stale, verify
from workers.checkpoints.snapshot import CheckpointWriter, load


def test_at_every_prefix_of_a_commit_the_reader_finds_the_old_checkpoint_or_the_new(
    tmp_path: Path,
) -> None:
    volume, before = tmp_path / "volume", tmp_path / "before"
    folder = attempt_folder(volume)
    assert save(folder, 1) is None
    shutil.copytree(volume, before)
    disk = RecordingDisk()
    assert save(folder, 2, disk) is None
    found: dict[int, set[str]] = {}
    for done, left in power_cuts(before, volume, disk.operations, tmp_path / "left"):
        latest = latest_in(left)
        assert latest is not None
        assert verify(latest) == []
        found.setdefault(done, set()).add(latest.name)
    # Nothing of the new one is seen at the start; it is told of only when it lasts.
    assert found[0] == {"step-000000001"}
    assert found[len(disk.operations)] == {"step-000000002"}


def test_what_a_power_cut_leaves_is_swept_and_saved_again(tmp_path: Path) -> None:
    volume, before = tmp_path / "volume", tmp_path / "before"
    folder = attempt_folder(volume)
    shutil.copytree(volume, before)
    disk = RecordingDisk()
    save(folder, 2, disk)
    for _, left in power_cuts(before, volume, disk.operations, tmp_path / "left"):
        again = left / folder.relative_to(volume)
        sweep_stale(again)
        assert {path.name for path in again.iterdir()} <= {"step-000000002"}
        assert save(again, 2) is None
        assert latest_in(left) == again / "step-000000002"


class _FullDisk(Disk):
    def __init__(self, bytes_left: int) -> None:
        self._bytes_left = bytes_left

    def write(self, path: Path, chunks: Iterable[bytes | memoryview]) -> FileDigest:
        def counted() -> Iterable[bytes | memoryview]:
            for chunk in chunks:
                self._bytes_left -= len(chunk)
                if self._bytes_left < 0:
                    raise OSError(errno.ENOSPC, "No space left on device")
                yield chunk

        return super().write(path, counted())


@pytest.mark.parametrize("bytes_left", [0, 50, 200, 400, 900])
def test_a_full_disk_fails_the_save_and_leaves_the_old_checkpoint_alone(
    tmp_path: Path, bytes_left: int
) -> None:
    folder = attempt_folder(tmp_path)
    save(folder, 1)
    error = save(folder, 2, _FullDisk(bytes_left))
    assert isinstance(error, OSError)
    assert error.errno == errno.ENOSPC
    assert [path.name for path in folder.iterdir()] == ["step-000000001"]
    assert verify(folder / "step-000000001") == []


class _HangingDisk(Disk):
    def __init__(self) -> None:
        self.answers = threading.Event()

    def write(self, path: Path, chunks: Iterable[bytes | memoryview]) -> FileDigest:
        assert self.answers.wait(60)
        return super().write(path, chunks)


def test_a_volume_that_hangs_holds_up_the_writer_and_not_the_run(tmp_path: Path) -> None:
    disk = _HangingDisk()
    published: list[Path] = []
    writer = CheckpointWriter(
        attempt_folder(tmp_path),
        on_published=lambda folder, _: published.append(folder),
        on_failed=lambda _: None,
        disk=disk,
    )
    model = tensors()
    saved = {name: tensor.clone() for name, tensor in model.items()}
    writer.save(manifest_of(1), model, {}, [{}])
    # The run is here while nothing is on disk, and what it does now is not in the checkpoint.
    assert published == []
    model["a.weight"].zero_()
    disk.answers.set()
    assert writer.close() is None
    assert torch.equal(load(published[0]).model["a.weight"], saved["a.weight"])


def test_a_step_that_is_saved_already_is_not_written_again(tmp_path: Path) -> None:
    folder = attempt_folder(tmp_path)
    save(folder, 1)
    content = (folder / "step-000000001" / "manifest.json").read_bytes()
    published: list[str] = []
    assert save(folder, 1, published=published, checkpoint_id="ckpt_other") is None
    assert published == []
    assert (folder / "step-000000001" / "manifest.json").read_bytes() == content


def test_a_tensor_with_two_names_is_stored_once_and_read_under_both(tmp_path: Path) -> None:
    folder = attempt_folder(tmp_path)
    weight = torch.rand(3)
    writer = CheckpointWriter(folder, on_published=lambda *_: None, on_failed=lambda _: None)
    writer.save(manifest_of(1), {"fc.weight": weight, "block.0.weight": weight}, {}, [{}])
    assert writer.close() is None
    loaded = load(folder / "step-000000001")
    assert loaded.manifest.aliases == {"block.0.weight": "fc.weight"}
    assert torch.equal(loaded.model["block.0.weight"], weight)


@pytest.mark.parametrize(
    ("names", "latest"),
    [
        ((990_000, 1_000_000), "step-001000000"),
        ((999_999_999, 1_000_000_000), "step-1000000000"),
    ],
)
def test_the_latest_is_the_highest_step_as_a_number(
    tmp_path: Path, names: tuple[int, ...], latest: str
) -> None:
    folder = attempt_folder(tmp_path)
    for step in names:
        save(folder, step)
    (folder / "step-zzz").mkdir()
    (folder / "step-9999999999").write_text("a stray file")
    found = latest_in(tmp_path)
    assert found is not None
    assert found.name == latest


def test_a_damaged_newest_checkpoint_is_passed_over(tmp_path: Path) -> None:
    folder = attempt_folder(tmp_path)
    save(folder, 1)
    save(folder, 2)
    (folder / "step-000000002" / "optim.safetensors").unlink()
    assert latest_in(tmp_path) == folder / "step-000000001"


def test_final_weights_are_the_latest_and_nothing_to_resume_from(tmp_path: Path) -> None:
    folder = attempt_folder(tmp_path)
    save(folder, 5)
    save(folder, 5, phase="final")
    assert latest_in(tmp_path) == folder / "final-000000005"
    assert latest_resumable_in(tmp_path) == folder / "step-000000005"


def test_the_kernel_is_asked_to_sync_each_file_the_stage_and_after_the_rename_the_parents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = attempt_folder(tmp_path)
    asked: list[str] = []
    fsync, rename = os.fsync, os.rename

    def noted_fsync(handle: int) -> None:
        asked.append(f"fsync {Path(os.readlink(f'/proc/self/fd/{handle}')).name}")
        fsync(handle)

    def noted_rename(source: Path, target: Path) -> None:
        asked.append(f"rename {Path(target).name}")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "rename", noted_rename)
    assert save(folder, 2) is None
    assert asked[:3] == [
        f"fsync {name}" for name in ("model.safetensors", "optim.safetensors", "rank-0.json")
    ]
    assert asked[3:5] == ["fsync manifest.sha256", "fsync manifest.json"]
    assert asked[5].startswith("fsync .tmp-")
    parents = ["1", "attempts", "job_1", "jobs"]
    assert asked[6:] == ["rename step-000000002", *(f"fsync {name}" for name in parents)]
