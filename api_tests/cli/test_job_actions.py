"""The commands that steer, against the real server."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server
from service.cli import app
from service.client import ApiError, TrainyardClient
from service.store import migrate

Run = Callable[..., Result]


def test_pause_and_resume_tell_the_state(run: Run, agent: FakeAgent) -> None:
    job = agent.submit()
    assert run("pause", job["id"]).stdout == "paused\n"
    assert run("resume", job["id"]).stdout == "queued\n"
    refused = run("resume", job["id"])
    assert (refused.exit_code, "is queued, not paused" in refused.stderr) == (3, True)


def test_with_json_one_job_is_as_the_server_answers_and_a_deleted_one_its_id(
    run: Run, agent: FakeAgent
) -> None:
    job = agent.submit()["id"]
    for command, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        known = json.loads(run(command, job, "--json").stdout)
        assert (known["object"], known["id"], known["state"]) == ("job", job, state)
    refused = run("pause", job, "--json")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "is cancelled" in refused.stderr
    assert json.loads(run("delete", job, "--json").stdout) == {"object": "deletion", "id": job}


def test_retry_prints_the_new_jobs_id(run: Run, agent: FakeAgent) -> None:
    job = agent.submit()
    agent.report(agent.claim(), "failed", "invalid_data")
    assert "retry it from start" in run("retry", job["id"]).stderr
    made = run("retry", job["id"], "--from", "start").stdout.strip()
    assert agent.http.get(f"/jobs/{made}").json()["parent_job_id"] == job["id"]


def test_a_retry_may_take_a_range_of_gpus_and_attempts_show_how_many_they_had(
    run: Run, agent: FakeAgent
) -> None:
    agent.put(gpus=[{"index": index, "name": "H100", "memory_bytes": 80} for index in range(4)])
    job = agent.submit()
    agent.report(agent.claim(), "failed", "invalid_data")
    labels = {"agent": agent.id}
    made = run("retry", job["id"], "--from", "start", "--gpus", "1:4").stdout.strip()
    resources = agent.http.get(f"/jobs/{made}").json()["spec"]["resources"]
    assert resources == {"gpus": {"min": 1, "max": 4}, "labels": labels}
    assert agent.ask(free_gpus=4).json()["spec"]["resources"] == {"gpus": 4, "labels": labels}
    head, attempt = run("attempts", made).stdout.splitlines()
    assert dict(zip(head.split(), attempt.split(), strict=False))["GPUS"] == "4"


def test_jobs_are_listed_by_what_they_have_in_the_order_that_is_asked_for(
    run: Run, agent: FakeAgent
) -> None:
    mine = {"labels": {"list": agent.id, "team": "vision"}}
    first = agent.submit(**mine, name="first", priority=1)["id"]
    second = agent.submit(**mine, name="second", params={"learning_rate": 0.25})["id"]
    agent.submit(labels={"list": agent.id})
    label = ("--label", f"list:{agent.id}", "--label", "team:vision")

    def ids_of(*args: str) -> list[str]:
        lines = run("jobs", *label, "--json", *args).stdout.splitlines()
        return [json.loads(line)["id"] for line in lines]

    assert ids_of() == [second, first]
    assert ids_of("--order-by", "-priority") == [first, second]
    assert ids_of("--param", "learning_rate=0.250") == [second]
    assert ids_of("--query", "FIRS", "--state", "queued", "--state", "running") == [first]
    assert ids_of("--name", "second", "--kind", "train", "--created-after", "2020-01-01") == [
        second
    ]
    assert ids_of("--state", "failed") == []
    assert "must be created_at, duration" in run("jobs", "--order-by", "name").stderr


def test_a_deleted_job_is_gone(run: Run, agent: FakeAgent) -> None:
    job = agent.submit()
    agent.http.post(f"/jobs/{job['id']}/cancel")
    assert run("delete", job["id"]).exit_code == 0
    assert agent.http.get(f"/jobs/{job['id']}").status_code == 404


def test_drain_and_its_undoing_tell_the_state(run: Run, agent: FakeAgent) -> None:
    assert run("drain", agent.id).stdout == "draining\n"
    assert run("drain", agent.id, "--undo").stdout == "active\n"
    assert json.loads(run("workers", "drain", agent.id, "--json").stdout)["state"] == "draining"
    undone = json.loads(run("drain", agent.id, "--undo", "--json").stdout)
    assert (undone["object"], undone["state"]) == ("worker", "active")


def test_the_client_edits_what_it_has_seen(server: Server, agent: FakeAgent) -> None:
    job = agent.submit()
    etag = agent.http.get(f"/jobs/{job['id']}").headers["etag"]
    with TrainyardClient(server.url) as client:
        edited = client.edit(job["id"], name="n", labels={"a": "b"}, priority=3, etag=etag)
        assert (edited.name, edited.labels, edited.spec.priority) == ("n", {"a": "b"}, 3)
        with pytest.raises(ApiError) as refused:
            client.edit(job["id"], name="late", etag=etag)
    assert refused.value.code == "stale"


def test_db_upgrade_tells_the_revision_and_refuses_a_file_in_use(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VOLUME", "DATA_ROOT", "IMPORT_ROOT"):
        monkeypatch.setenv(f"TRAINYARD_{name}", str(tmp_path / name))
    upgraded = invoke("db", "upgrade", "--database-url", f"sqlite:///{tmp_path}/new.db")
    versions = Path(migrate.__file__).parent / "migrations" / "versions"
    newest = max(path.name[:4] for path in versions.glob("0*.py"))
    assert upgraded.stdout == f"the schema is at {newest}\n"
    again = invoke("db", "upgrade", "--database-url", f"sqlite:///{tmp_path}/new.db", "--json")
    assert json.loads(again.stdout) == {"object": "schema", "revision": newest}
    used = invoke("db", "upgrade", "--database-url", f"sqlite:///{server.folder}/trainyard.db")
    assert used.exit_code != 0
    assert "another server has" in used.stderr


def invoke(*args: str, **more: Any) -> Result:
    return CliRunner(**more).invoke(app, list(args))


def test_a_dry_run_tells_what_is_known_and_submits_nothing(run: Run, agent: FakeAgent) -> None:
    args = ("submit", "--recipe", "oneshot", "--dataset", "digits", "--name", agent.id)
    told = run(*args, "--param", "batch_size=32", "--dry-run")
    assert told.exit_code == 0
    lines = told.stdout.splitlines()
    assert "note /data/dataset: 360 images of 10 classes to validate on" in lines
    assert lines[-1] == "It can run; nothing was submitted."
    assert agent.id not in run("list").stdout
    body = json.loads(run(*args, "--dry-run", "--json").stdout)
    assert (body["object"], body["spec"]["name"]) == ("explanation", agent.id)
    refused = run(*args, "--param", "batch_size=0", "--dry-run")
    assert refused.exit_code != 0
    assert "/params/batch_size" in refused.stderr
