"""Whatever happens to the bytes of a checkpoint is seen."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api_tests.support.checkpoint_folders import attempt_folder, save
from workers.checkpoints.folder import DamagedCheckpoint, verify
from workers.checkpoints.snapshot import load

FILES = (
    "model.safetensors",
    "optim.safetensors",
    "rank-0.json",
    "manifest.json",
    "manifest.sha256",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that each test leaves as it was."""
    attempt = attempt_folder(tmp_path_factory.mktemp("volume"))
    save(attempt, 7)
    return attempt / "step-000000007"


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, attempt_folder(tmp_path) / folder.name)


def test_a_whole_checkpoint_has_nothing_wrong(folder: Path) -> None:
    assert verify(folder) == []
    assert {path.name for path in folder.iterdir()} == set(FILES)


@given(data=st.data(), name=st.sampled_from(FILES))
@settings(max_examples=150, deadline=None)
def test_one_flipped_bit_is_found(folder: Path, data: st.DataObject, name: str) -> None:
    size = (folder / name).stat().st_size
    bit = data.draw(st.integers(0, 8 * size - 1))
    with _changed(folder / name) as content:
        content[bit // 8] ^= 1 << bit % 8
        (folder / name).write_bytes(content)
        assert verify(folder) != []
        with pytest.raises(DamagedCheckpoint):
            load(folder)


@given(data=st.data(), name=st.sampled_from(FILES))
@settings(max_examples=60, deadline=None)
def test_a_file_cut_short_is_found(folder: Path, data: st.DataObject, name: str) -> None:
    length = data.draw(st.integers(0, (folder / name).stat().st_size - 1))
    with _changed(folder / name) as content:
        (folder / name).write_bytes(content[:length])
        assert verify(folder) != []


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    (problem,) = verify(copy)
    assert problem.startswith(f"{name} cannot be read")


def _swap_files(copy: Path) -> str:
    (copy / FILES[0]).rename(copy / "spare")
    (copy / FILES[1]).rename(copy / FILES[0])
    (copy / "spare").rename(copy / FILES[1])
    return f"{FILES[0]} has another sha256"


def _take_anothers_weights(copy: Path) -> str:
    save(copy.parent, 8)
    shutil.copy(copy.parent / "step-000000008" / FILES[0], copy / FILES[0])
    return f"{FILES[0]} has another sha256"


def _take_anothers_manifest(copy: Path) -> str:
    save(copy.parent, 8)
    for name in ("manifest.json", "manifest.sha256"):
        shutil.copy(copy.parent / "step-000000008" / name, copy / name)
    return "the manifest is of step-000000008"


def _add_a_file(copy: Path) -> str:
    (copy / "rank-1.json").write_text("{}")
    return "rank-1.json is not a file of this checkpoint"


def _link_a_file(copy: Path) -> str:
    (copy / FILES[0]).rename(copy.parent / FILES[0])
    (copy / FILES[0]).symlink_to(copy.parent / FILES[0])
    return f"{FILES[0]} is not a file"


@pytest.mark.parametrize(
    "change",
    [_swap_files, _take_anothers_weights, _take_anothers_manifest, _add_a_file, _link_a_file],
)
def test_a_file_that_is_not_its_own_is_named(copy: Path, change: Callable[[Path], str]) -> None:
    assert change(copy) in verify(copy)


@pytest.mark.parametrize("place", ["attempts/1/step-000000008", "attempts/2/step-000000007"])
def test_a_checkpoint_in_anothers_place_is_found(copy: Path, place: str) -> None:
    moved = copy.parents[2] / place
    moved.parent.mkdir(exist_ok=True)
    copy.rename(moved)
    assert len(verify(moved)) == 1


@contextmanager
def _changed(path: Path) -> Iterator[bytearray]:
    content = path.read_bytes()
    try:
        yield bytearray(content)
    finally:
        path.write_bytes(content)
