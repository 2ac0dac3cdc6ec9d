"""A checkpoint as an object."""

from pathlib import Path

import pytest

from api_tests.support.fake_rest_server import FakeRestServer, a_checkpoint
from service.client import Checkpoint, Client, DownloadDamaged
from service.contract import checkpoints as contract

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def checkpoint(fake: FakeRestServer, client: Client) -> Checkpoint:
    fake.checkpoints, fake.content = [a_checkpoint(1, CONTENT)], CONTENT
    return client.latest_checkpoint()


def test_a_checkpoint_has_every_field_of_the_api(checkpoint: Checkpoint) -> None:
    assert isinstance(checkpoint, contract.Checkpoint)
    assert checkpoint.model_dump() == a_checkpoint(1, CONTENT).model_dump()


@pytest.mark.parametrize("kind", [str, Path])
def test_all_files_are_downloaded_into_a_folder_named_by_text_or_path(
    checkpoint: Checkpoint, tmp_path: Path, kind: type
) -> None:
    folder = checkpoint.download(kind(tmp_path / "new"))
    assert folder == tmp_path / "new"
    assert [each.name for each in folder.iterdir()] == ["model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == CONTENT


def test_a_damaged_file_is_not_left_behind(
    fake: FakeRestServer, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    fake.content = b"\xff" + CONTENT[1:]
    with pytest.raises(DownloadDamaged):
        checkpoint.download(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_weights_that_do_not_verify_are_not_loaded(
    fake: FakeRestServer, checkpoint: Checkpoint
) -> None:
    fake.content = b"\xff" + CONTENT[1:]
    with pytest.raises(DownloadDamaged):
        checkpoint.load_state_dict()
