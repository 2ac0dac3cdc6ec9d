"""The command that imports weights: what it sends, and what it refuses itself."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import Result

from api_tests.support.polling import eventually
from api_tests.support.server import Server
from service.cli.exit_codes import ExitCode

Run = Callable[..., Result]


def test_class_names_are_sent_from_a_file_of_this_machine(
    run: Run, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "labels.txt").write_text("gnu, wild\ncat\n")
    with ThreadPoolExecutor(1) as thread:
        command = (
            "checkpoints",
            "import",
            "weights.pth",
            "--class-names",
            str(tmp_path / "labels.txt"),
        )
        imported = thread.submit(run, *command)
        eventually(lambda: server.http.get("/jobs").json()["data"])
        (job,) = server.http.get("/jobs").json()["data"]
        server.http.post(f"/jobs/{job['id']}/cancel")
        assert imported.result().exit_code == 1
    assert job["spec"]["request"]["class_names"] == ["gnu, wild", "cat"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--class-name", "cat", "--class-name", "cat"), "rows 0 and 1 have the same"),
        (("--class-name", "cat", "--class-names", "labels.txt"), "not both"),
        (("--class-names", "none.txt"), "none.txt cannot be read"),
        (("--class-names", "labels.txt"), "row 1 has a blank name"),
    ],
)
def test_class_names_that_cannot_be_used_are_refused_at_once(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("labels.txt").write_text("cat\n\ndog\n")
    refused = run("checkpoints", "import", "weights.pth", *arguments)
    assert message in refused.stderr
    assert refused.exit_code in (ExitCode.USAGE, ExitCode.REFUSED)


def test_the_files_that_can_be_imported_are_listed(run: Run, server: Server) -> None:
    imports = server.folder / "imports"
    imports.mkdir(exist_ok=True)
    (imports / "a.pth").write_bytes(b"x" * 2000)
    listed = run("checkpoints", "imports").stdout.splitlines()
    assert listed[0].split() == ["FILE", "SIZE", "MODIFIED"]
    assert listed[1].startswith("a.pth")
    assert "2 kB" in listed[1]
    (whole,) = json.loads(run("checkpoints", "imports", "--json").stdout)["data"]
    assert (whole["path"], whole["bytes"]) == ("a.pth", 2000)
