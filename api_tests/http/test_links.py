"""Links, pipes and changed files on the volume: the server reads the files of its own jobs."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.checkpoint_folders import attempt_folder
from api_tests.support.checkpoint_volume import flip_a_bit
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.runs import Run
from api_tests.support.server import Server
from service.contract.checkpoints import FileDigest, job_files_path
from workers.checkpoints.folder import read_manifest, verify, write_manifest

LOOKUPS = 9
"""One more than may be under way."""
MODEL = "model.safetensors"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("secret")
    return path


def test_a_log_that_is_a_link_is_not_served(agent: FakeAgent, secret: Path) -> None:
    claim = running(agent)
    agent.log(claim, b"step 1")
    log = agent.log_path(claim)
    log.unlink()
    log.symlink_to(secret)
    problem = problem_of(agent.http.get(logs(claim)), 404, "no_log")
    assert "log.txt: it is a symbolic link" in problem["detail"]


def test_a_log_that_is_a_pipe_takes_no_other_call_down(agent: FakeAgent) -> None:
    claim = running(agent)
    agent.log(claim, b"step 1")
    agent.log_path(claim).unlink()
    os.mkfifo(agent.log_path(claim))
    for _ in range(LOOKUPS):
        problem_of(agent.http.get(logs(claim), timeout=5), 404, "no_log")
    assert agent.http.get("/readyz", timeout=5).status_code == 200


@pytest.mark.parametrize("depth", range(5), ids=["file", "step", "attempt", "attempts", "job"])
def test_a_checkpoint_behind_a_link_is_neither_served_nor_collected(run: Run, depth: int) -> None:
    run.agent.report(run.claim)
    file = attempt_folder(run.volume, 1, run.job_id) / "step-000000001" / MODEL
    linked = (file, *file.parents)[depth]
    outside = run.volume.parent / f"outside-{run.job_id}"
    linked.rename(outside)
    linked.symlink_to(outside)
    path = f"/checkpoints/{run.id_of(1)}"
    problem_of(run.http.get(f"{path}/files/{MODEL}"), 410, "checkpoint_gone")
    assert not run.http.post(f"{path}/verify").json()["ok"]
    assert run.http.post("/checkpoints/gc", json={"dry_run": False}).status_code == 200
    assert run.http.delete(path).status_code == 204
    assert outside.exists()
    # A link inside of its own folder is removed with it, and never what it leads to.
    removed = depth == 0
    assert linked.is_symlink() is not removed
    state = run.http.get(path).json()["state"]
    assert state == ("purged" if removed else "deleting")


def test_weights_and_manifest_that_were_rewritten_together_are_found(run: Run) -> None:
    path = f"/checkpoints/{run.id_of(3)}"
    etag = run.http.get(f"{path}/files/{MODEL}").headers["ETag"]
    rewrite(run, 3)
    for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=0-9", "If-Range": etag}):
        answer = run.http.get(f"{path}/files/{MODEL}", headers=headers)
        problem_of(answer, 409, "file_changed")
    found = run.http.post(f"{path}/verify").json()
    assert f"manifest.json and the index differ in {MODEL}" in found["problems"]
    assert f"{MODEL} has another sha256" in found["problems"]
    assert run.http.get(path).json()["state"] == "damaged"


def test_nothing_is_collected_while_the_newest_is_not_the_one_that_was_published(
    server: Server, agent: FakeAgent
) -> None:
    run = Run(server, agent, retention={"keep_last": 2, "keep_best": 0})
    for step in (1, 2, 3):
        run.save(step)
    run.agent.report(run.claim)
    rewrite(run, 3)
    run.http.post("/checkpoints/gc", json={"dry_run": False})
    assert "step-000000001" in run.names()
    assert run.http.get(f"/checkpoints/{run.id_of(3)}").json()["state"] == "damaged"


def test_a_file_that_changes_after_it_was_served_is_not_served_again(agent: FakeAgent) -> None:
    claim, content = running(agent), b"weights"
    checkpoint_id = agent.save(claim, 1, content)
    path = f"/checkpoints/{checkpoint_id}/files/{MODEL}"
    file = agent.folder_of(checkpoint_id) / MODEL
    # As old as what the server remembers.
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert agent.http.get(path).content == content
    with file.open("r+b") as opened:
        opened.write(b"WEIGHTS")
    os.utime(file, (1_000_000_000, 1_000_000_000))
    problem_of(agent.http.get(path), 409, "file_changed")


@pytest.mark.parametrize("name", ["../spec.json", "../../../../../../secret", ".hidden", "a/b", ""])
def test_a_result_names_no_file_but_those_of_its_attempt(
    agent: FakeAgent, run: Run, name: str
) -> None:
    run.agent.report(run.claim)
    query = {"format": "safetensors"}
    exporting = agent.http.post(f"/checkpoints/{run.id_of(1)}/export", json=query).json()
    claim = claim_anywhere(agent)
    assert claim["job_id"] == exporting["id"]
    folder = run.volume / job_files_path(claim["job_id"], claim["attempt"])
    folder.mkdir(parents=True)
    (folder.parent / "spec.json").write_text("token")
    digest = {"bytes": 5, "sha256": hashlib.sha256(b"token").hexdigest()}
    agent.report(claim, result={"files": {name: digest, "real.onnx": digest, "x": {"bytes": -1}}})
    job = agent.http.get(f"/jobs/{claim['job_id']}").json()
    assert job["result"]["files"] == {"real.onnx": digest}
    notes = [e["message"] for e in agent.http.get(f"/jobs/{job['id']}/events").json()["data"]]
    assert "its worker reported 2 files without a valid name and digest" in notes
    answer = agent.http.get(f"/checkpoints/{run.id_of(1)}/export", params=query)
    assert b"token" not in answer.content


def rewrite(run: Run, step: int) -> None:
    """Change a checkpoint's weights, and its manifest with them: the folder itself is whole."""
    folder = attempt_folder(run.volume, 1, run.job_id) / f"step-{step:09d}"
    flip_a_bit(folder)
    content = (folder / MODEL).read_bytes()
    digest = FileDigest(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    manifest = read_manifest(folder)
    assert manifest is not None
    for name in ("manifest.json", "manifest.sha256"):
        (folder / name).unlink()
    files = manifest.files | {MODEL: digest}
    write_manifest(folder, manifest.model_copy(update={"files": files}))
    assert verify(folder) == []


def running(agent: FakeAgent) -> dict[str, Any]:
    agent.submit()
    return agent.claim()


def claim_anywhere(agent: FakeAgent) -> dict[str, Any]:
    response = agent.ask()
    assert response.status_code == 200, response.text
    claim: dict[str, Any] = response.json()
    agent.beat(claim)
    return claim


def logs(claim: dict[str, Any]) -> str:
    return f"/jobs/{claim['job_id']}/logs"
