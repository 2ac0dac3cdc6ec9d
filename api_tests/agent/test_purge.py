"""Retention: nothing goes before something newer is surely there."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.polling import eventually
from service.contract.agent import Purge
from service.contract.checkpoints import Manifest, attempt_path, folder_name
from service.volume.disk import DISK
from service.volume.identity import SharedVolume
from workers.agent.purge import Purger
from workers.checkpoints.folder import staged, write_manifest


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return _publish(tmp_path, 4)


@pytest.fixture
def newest(tmp_path: Path, old: Path) -> Path:
    assert old.exists()
    return _publish(tmp_path, 8)


def _publish(volume: Path, step: int) -> Path:
    attempt_folder = volume / attempt_path("job_1", 1)
    attempt_folder.mkdir(parents=True, exist_ok=True)
    name = folder_name("train", step)
    with staged(attempt_folder, name) as stage:
        digest = DISK.write(stage / "model.safetensors", [b"weights"])
        manifest = Manifest(
            checkpoint_id=f"ckpt_{step}",
            job_id="job_1",
            attempt=1,
            step=step,
            phase="train",
            recipe="oneshot",
            variant="searched",
            num_classes=2,
            class_names=("a", "b"),
            image_size=32,
            preprocessing="bgr255",
            spec_sha256="",
            world_size=1,
            created_at=datetime.now(UTC),
            files={"model.safetensors": digest},
        )
        write_manifest(stage, manifest)
    return attempt_folder / name


def _purged(volume: Path, *paths: str) -> tuple[str, ...]:
    purger = Purger(SharedVolume(volume), a_claim("job_1", 1))
    purger.request([Purge(checkpoint_id=f"ckpt of {path}", path=path) for path in paths])
    eventually(lambda: not purger.is_busy())
    return purger.take_purged()


def test_a_surplus_checkpoint_goes_once_the_newest_verifies(
    tmp_path: Path, old: Path, newest: Path
) -> None:
    path = str(old.relative_to(tmp_path))
    assert _purged(tmp_path, path) == (f"ckpt of {path}",)
    assert not old.exists()
    assert newest.exists()


def test_nothing_goes_while_the_newest_is_damaged(tmp_path: Path, old: Path, newest: Path) -> None:
    (newest / "model.safetensors").write_bytes(b"weighty")
    assert _purged(tmp_path, str(old.relative_to(tmp_path))) == ()
    assert old.exists()


def test_the_newest_itself_never_goes(tmp_path: Path, newest: Path) -> None:
    assert _purged(tmp_path, str(newest.relative_to(tmp_path))) == ()
    assert newest.exists()


def test_a_folder_that_is_gone_already_counts_as_purged(tmp_path: Path) -> None:
    path = f"{attempt_path('job_1', 1)}/step-000000004"
    assert _purged(tmp_path, path) == (f"ckpt of {path}",)


@pytest.mark.parametrize(
    "path",
    [
        "../outside/step-000000004",
        "jobs/job_1/attempts/../../../../outside/step-000000004",
        "jobs/job_2/attempts/1/step-000000004",
        "jobs/job_1/attempts/1",
        "jobs/job_1/attempts/1/link",
        "jobs/job_1/attempts/7/step-000000004",
    ],
)
def test_what_is_no_checkpoint_of_the_job_below_the_volume_is_refused(
    tmp_path: Path, path: str
) -> None:
    volume = tmp_path / "volume"
    _publish(volume, 8)
    outside = tmp_path / "outside/step-000000004"
    other = volume / "jobs/job_2/attempts/1/step-000000004"
    for folder in (outside, other):
        folder.mkdir(parents=True)
    (volume / "jobs/job_1/attempts/1/link").symlink_to(outside)
    (volume / "jobs/job_1/attempts/7").symlink_to(outside.parent)
    assert _purged(volume, path) == ()
    assert outside.exists()
    assert other.exists()
    assert (volume / "jobs/job_1/attempts/1/link").is_symlink()
    assert (volume / "jobs/job_1/attempts/1").exists()
