"""A worker whose volume is not the server's takes no job and makes no folder, until it is."""

import errno
import os
from pathlib import Path

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker
from service.contract.agent import Purge
from service.contract.checkpoints import attempt_path
from service.volume.identity import IDENTITY_FILE, SharedVolume, make_identity
from workers.agent.purge import Purger


@pytest.fixture
def volume(control_plane: FakeControlPlane, tmp_path: Path) -> Path:
    """The server's volume, as it is mounted."""
    control_plane.volume_id = "vol_1"
    volume = tmp_path / "mount"
    volume.mkdir()
    (volume / IDENTITY_FILE).write_text("vol_1\n")
    return volume


@pytest.mark.parametrize("missing", ["root", "identity"])
def test_a_worker_waits_for_its_volume_and_makes_none(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path, missing: str
) -> None:
    control_plane.volume_id = "vol_1"
    volume = tmp_path / "mount"
    if missing == "identity":
        volume.mkdir()
    worker = start_worker("--volume", str(volume), ranks="succeeds")
    held = control_plane.offer(a_claim())
    worker.wait_for_log("volume_changed")
    assert [each.id for each in control_plane.volumes] == [None]
    assert control_plane.volumes[0].path == str(volume)
    assert control_plane.claim_requests == []
    assert not volume.exists() if missing == "root" else list(volume.iterdir()) == []
    volume.mkdir(exist_ok=True)
    (volume / IDENTITY_FILE).write_text("vol_1\n")
    assert control_plane.report_of(held).outcome == "succeeded"
    assert [each.id for each in control_plane.volumes] == [None, "vol_1"]


def test_a_job_whose_volume_went_away_after_the_claim_is_given_back(
    control_plane: FakeControlPlane, start_worker: StartWorker, volume: Path, tmp_path: Path
) -> None:
    start_worker("--volume", str(volume), ranks="succeeds")
    control_plane.wait_for(lambda: control_plane.claim_requests)
    volume.rename(tmp_path / "away")
    report = control_plane.report_of(control_plane.offer(a_claim()))
    assert report.outcome == "released"
    assert "is missing: is it mounted?" in report.message
    assert not volume.exists()


def test_a_job_whose_ranks_crash_since_the_volume_went_away_is_given_back(
    control_plane: FakeControlPlane, start_worker: StartWorker, volume: Path, tmp_path: Path
) -> None:
    worker = start_worker("--volume", str(volume), ranks="waits_for_a_file")
    attempt = control_plane.offer(a_claim())
    control_plane.wait_for(lambda: "started" in attempt.kinds())
    volume.rename(tmp_path / "away")
    volume.mkdir()
    worker.titled("rank").kill()
    report = control_plane.report_of(attempt)
    assert report.outcome == "released"
    assert f"has no file {IDENTITY_FILE}" in report.message


def test_a_volume_without_hard_links_is_given_an_identity_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert make_identity(tmp_path, "vol_1") == "vol_1"
    assert make_identity(tmp_path, "vol_2") == "vol_1"
    assert [file.name for file in tmp_path.iterdir()] == [IDENTITY_FILE]


def test_nothing_counts_as_removed_from_a_folder_that_is_not_the_volume(tmp_path: Path) -> None:
    purger = Purger(SharedVolume(tmp_path, "vol_1"), a_claim("job_1", 1))
    path = f"{attempt_path('job_1', 1)}/step-000000004"
    purger.request([Purge(checkpoint_id="ckpt_4", path=path)])
    eventually(lambda: not purger.is_busy())
    assert purger.take_purged() == ()
    purger.close()
