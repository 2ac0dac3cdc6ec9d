"""Checkpoint folders of other versions: read with unknown fields, left alone in a newer format."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.checkpoint_volume import Volume
from service.contract.checkpoints import MANIFEST
from service.control.checkpoints.index import record_verification
from service.store.engine import Database
from service.volume.folder import checkpoints_in, latest_resumable_in, read_manifest, verify
from service.volume.manifests import MANIFEST_DIGEST, is_of_newer_version
from workers.checkpoints.snapshot import load
from workers.checkpoints.upstream import IncompatibleCheckpoint

BEFORE = Path(__file__).with_name("before") / "checkpoint"


@pytest.fixture
def volume(database: Database, tmp_path: Path) -> Volume:
    """With a training whose retention keeps two."""
    volume = Volume(database, tmp_path / "volume")
    volume.submit()
    return volume


def rewrite(folder: Path, **fields: Any) -> None:
    """As another version would have written the manifest."""
    body = json.dumps(json.loads((folder / MANIFEST).read_text()) | fields).encode()
    (folder / MANIFEST).write_bytes(body)
    line = f"{hashlib.sha256(body).hexdigest()}  {MANIFEST}\n"
    (folder / MANIFEST_DIGEST).write_text(line)


def test_a_folder_of_the_version_before_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / f"step-{json.loads((BEFORE / MANIFEST).read_text())['step']:09d}"
    shutil.copytree(BEFORE, folder)
    assert verify(folder) == []


def test_a_manifest_with_unknown_fields_is_read_indexed_and_keeps_them(volume: Volume) -> None:
    folder = volume.save(1)
    rewrite(folder, quantized={"bits": 8})
    assert verify(folder) == []
    assert volume.reindex().adopted == ["ckpt_1"]
    manifest = volume.get("ckpt_1").manifest
    assert manifest is not None
    assert manifest["quantized"] == {"bits": 8}


def test_a_newer_format_is_said_to_be_newer_and_not_damaged(volume: Volume) -> None:
    folder = volume.save(1)
    rewrite(folder, format=2, layout="columns")
    problems = verify(folder)
    assert is_of_newer_version(problems)
    assert problems == [
        "it was made by a newer version of trainyard: its format is 2, and this version reads 1"
    ]
    rewrite(folder, format="one")
    assert not is_of_newer_version(verify(folder))


def test_a_newer_format_is_not_resumed_from(volume: Volume) -> None:
    older, newer = volume.save(1), volume.save(2)
    rewrite(newer, format=2)
    assert latest_resumable_in(volume.folder) == older
    with pytest.raises(IncompatibleCheckpoint, match="newer version"):
        load(newer)


def test_a_newer_format_stays_published_however_often_it_is_looked_at(
    database: Database, volume: Volume
) -> None:
    folder = volume.save(1)
    assert volume.reindex().adopted == ["ckpt_1"]
    rewrite(folder, format=2)
    result = volume.reindex()
    assert result.damaged == []
    assert any("made by a newer version" in sentence for sentence in result.left)
    with database.write() as tx:
        answer = record_verification(tx, "ckpt_1", verify(folder), volume.get("ckpt_1").created_at)
    assert not answer.ok
    assert volume.get("ckpt_1").state == "published"


def test_a_newer_format_is_removed_by_no_collection_which_says_so(volume: Volume) -> None:
    folders = [volume.save(step) for step in (1, 2, 3, 4)]
    volume.reindex()
    unindexed = volume.save(5)
    rewrite(unindexed, format=2)
    rewrite(folders[0], format=3)
    volume.end()
    collector = volume.collector()
    removed = [garbage.checkpoint_id for garbage in collector.collect(dry_run=False)]
    assert removed == ["ckpt_2"]
    assert folders[0].is_dir()
    assert unindexed.is_dir()
    assert len(collector.newer_folders()) == 2


def test_what_a_newer_version_wrote_is_no_checkpoint_to_go_on_from(volume: Volume) -> None:
    folder = volume.save(1)
    rewrite(folder, format=2)
    assert checkpoints_in(volume.folder) == []
    assert read_manifest(folder) is None
