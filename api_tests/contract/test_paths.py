from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from service.contract.paths import DataPath, LinkLoop, PathOutsideRoot, RootFolder, resolve_path
from service.contract.specs import TrainSpec


@pytest.mark.parametrize("path", ["/etc/passwd", "../other", "photos/../../other", ".."])
def test_a_path_that_leads_out_of_its_root_is_refused_as_text(path: str) -> None:
    with pytest.raises(ValidationError, match="must be a path below the worker's data root"):
        TypeAdapter(DataPath).validate_python(path)


def test_a_name_with_dots_that_leads_nowhere_else_is_allowed() -> None:
    assert TypeAdapter(DataPath).validate_python("photos/..2024/a..b") == "photos/..2024/a..b"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("photos/" + "ü" * 128, "a name in a path has at most 255 bytes"),
        ("d/" * 2048, "a path has at most 4095 bytes"),
    ],
)
def test_a_path_that_no_file_system_can_have_is_refused_as_text(path: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(DataPath).validate_python(path)


def test_the_refusal_names_the_folder_that_is_wrong() -> None:
    data = {"train_dir": "photos/train", "val_dir": "../val"}
    with pytest.raises(ValidationError) as refused:
        TrainSpec.model_validate({"kind": "train", "recipe": "oneshot", "data": data})
    assert [error["loc"] for error in refused.value.errors()] == [("data", "val_dir")]


def test_a_path_below_the_root_is_resolved_whether_it_exists_or_not(tmp_path: Path) -> None:
    assert resolve_path(tmp_path, "a/b") == tmp_path.resolve() / "a" / "b"
    assert resolve_path(tmp_path, ".") == tmp_path.resolve()


@pytest.mark.parametrize("path", ["../other", "/etc", "link", "link/x", "a/../../other"])
def test_a_path_or_a_link_that_leads_out_of_the_root_is_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(PathOutsideRoot, match="leads out of"):
        resolve_path(root, path)


def test_a_link_that_stays_below_the_root_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert resolve_path(tmp_path, "link/x") == tmp_path.resolve() / "a" / "x"


def test_a_link_that_leads_back_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(LinkLoop, match="'a/x' has a link that leads back to itself"):
        resolve_path(tmp_path, "a/x")


def test_a_folder_of_a_setting_whose_name_is_not_utf_8_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"not UTF-8: /data/caf\\xe9; rename it"):
        TypeAdapter(RootFolder).validate_python("/data/caf\udce9")
    assert TypeAdapter(RootFolder).validate_python("/data/café") == Path("/data/café")
