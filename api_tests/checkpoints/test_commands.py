"""`trainyard checkpoints …`: of a folder without any server, and of a yard that lost its index."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api_tests.support.checkpoint_folders import attempt_folder, save
from api_tests.support.checkpoint_volume import flip_a_bit
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server
from service.cli import app
from service.contract.checkpoints import Checkpoint

Run = Callable[..., Result]
DIGITS = {"num_classes": 10, "class_names": [str(digit) for digit in range(10)]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An attempt with the checkpoints of three steps, whose names sort otherwise."""
    folder = attempt_folder(tmp_path / "volume")
    for step in (999_999_999, 1_000_000_000, 5):
        save(folder, step, metrics={"top1_error": 0.1234})
    return folder


@pytest.fixture
def run() -> Run:
    """A command where no server is, and no database."""
    env = {"TRAINYARD_SERVER": "http://127.0.0.1:9"}
    return lambda *args: CliRunner(env=env).invoke(app, ["checkpoints", *map(str, args)])


def test_the_latest_of_a_folder_needs_no_server(run: Run, folder: Path) -> None:
    newest = folder / "step-1000000000"
    assert run("latest", folder.parents[3]).stdout == f"{newest}\n"
    flip_a_bit(newest)
    assert run("latest", folder.parents[3]).stdout == f"{folder / 'step-999999999'}\n"
    found = Checkpoint.model_validate_json(run("latest", folder, "--json").stdout)
    assert (found.id, found.path) == ("ckpt_999999999", "step-999999999")


def test_the_list_of_a_folder_has_the_highest_steps_first(run: Run, folder: Path) -> None:
    lines = run("list", folder.parents[3]).stdout.splitlines()
    assert [line.split()[2] for line in lines[1:]] == ["1000000000", "999999999", "5"]
    assert "12.34 %" in lines[1]
    (only,) = run("list", folder, "--limit", "1", "--json").stdout.splitlines()
    assert Checkpoint.model_validate_json(only).step == 1_000_000_000


def test_verify_names_what_is_wrong_and_ends_with_status_1(run: Run, folder: Path) -> None:
    whole = run("verify", folder)
    assert (whole.exit_code, whole.stdout.count(": whole\n")) == (0, 3)
    flip_a_bit(folder / "step-000000005")
    damaged = run("verify", folder)
    assert damaged.exit_code == 1
    first_line = f"{folder / 'step-000000005'}: model.safetensors has another sha256\n"
    assert damaged.stdout.startswith(first_line)
    assert damaged.stderr == "trainyard: 1 of 3 checkpoints is damaged\n"
    again = run("verify", folder, "--json")
    assert (again.exit_code, again.stderr) == (1, damaged.stderr)
    found = [json.loads(line) for line in again.stdout.splitlines()]
    assert found[0] == {
        "object": "verification",
        "path": str(folder / "step-000000005"),
        "checkpoint_id": "ckpt_5",
        "ok": False,
        "problems": ["model.safetensors has another sha256"],
    }
    assert [each["ok"] for each in found] == [False, True, True]


@pytest.mark.parametrize("command", ["latest", "list", "verify"])
def test_a_folder_that_is_not_there_is_a_sentence(run: Run, command: str) -> None:
    result = run(command, "/no/where")
    assert (result.exit_code, result.stderr) == (2, "trainyard: /no/where is not a folder\n")


def test_a_folder_without_a_whole_checkpoint_is_a_sentence(run: Run, tmp_path: Path) -> None:
    assert "no checkpoint below" in run("latest", tmp_path).stderr
    assert "manifest.json cannot be read" in run("verify", tmp_path).stderr


@pytest.mark.parametrize("command", ["reindex", "rescan"])
def test_a_reindex_of_a_volume_that_is_not_mounted_makes_no_database(
    run: Run, tmp_path: Path, command: str
) -> None:
    result = run(command, "--data-dir", tmp_path / "yard")
    assert result.exit_code == 2
    assert "is the volume mounted?" in result.stderr
    assert not (tmp_path / "yard").exists()


def test_a_yard_that_lost_its_database_is_indexed_anew(tmp_path: Path) -> None:
    installation = tmp_path / "yard"
    installation.mkdir()
    server = Server(installation)
    agent = FakeAgent(server)
    job_id = agent.submit()["id"]
    claim = agent.claim()
    folder = attempt_folder(server.volume, 1, job_id)
    for step in (1, 2):
        save(folder, step, job_id=job_id, **DIGITS)
    agent.report(claim)
    agent.http.close()

    here = CliRunner(env={"TRAINYARD_SERVER": server.url})
    refused = here.invoke(app, ["checkpoints", "reindex", "--data-dir", str(installation)])
    assert refused.exit_code == 1
    assert "another server has" in refused.stderr
    server.stop()
    for path in installation.glob("trainyard.db*"):
        path.unlink()
    result = here.invoke(app, ["checkpoints", "reindex", "--data-dir", str(installation)])
    assert result.stdout.startswith("checkpoints adopted: 2 (jobs not known before: 1)")
    again = here.invoke(app, ["checkpoints", "reindex", "--data-dir", str(installation), "--json"])
    lists = ("jobs", "adopted", "healed", "damaged", "left")
    assert json.loads(again.stdout) == {"object": "reindexing", **{name: [] for name in lists}}

    server.start()
    asks = CliRunner(env={"TRAINYARD_SERVER": server.url})
    assert asks.invoke(app, ["checkpoints", "latest"]).stdout == "ckpt_2\n"
    assert asks.invoke(app, ["checkpoints", "verify", "ckpt_2"]).stdout == "ckpt_2: whole\n"
    job = server.http.get(f"/jobs/{job_id}").json()
    assert (job["kind"], job["latest_checkpoint"]) == ("import", "ckpt_2")
    # It can be gone on from.
    go_on = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
    go_on |= {"init_from": {"id": "ckpt_2", "state": "full"}}
    assert server.http.post("/jobs", json=go_on).status_code == 201
    flip_a_bit(folder / "step-000000002")
    damaged = asks.invoke(app, ["checkpoints", "verify", "ckpt_2"])
    assert (damaged.exit_code, damaged.stdout) == (1, "")
    assert "model.safetensors has another sha256" in damaged.stderr
    assert asks.invoke(app, ["checkpoints", "latest"]).stdout == "ckpt_1\n"
    (folder / ".tmp-cut").mkdir()
    result = asks.invoke(app, ["checkpoints", "gc", "--dry-run"])
    assert result.stdout.splitlines()[-1] == "would be removed: 1 in all, 0 B"
    shutil.rmtree(folder / "step-000000001")
    assert asks.invoke(app, ["checkpoints", "gc"]).stdout.endswith("removed: 1 in all, 0 B\n")
    assert not (folder / ".tmp-cut").exists()
    server.stop()
