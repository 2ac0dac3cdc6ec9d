"""The commands that steer, against the real server."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server
from service.cli import app, many_jobs
from service.client import ApiError, ServerUnreachable, TrainyardClient
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


def test_several_jobs_are_steered_by_one_command_which_tells_what_became_of_each(
    run: Run, agent: FakeAgent
) -> None:
    first, second = (agent.submit()["id"] for _ in range(2))
    assert run("pause", first, second).stdout == f"{first} paused\n{second} paused\n"
    agent.http.post(f"/jobs/{second}/cancel").raise_for_status()
    resumed = run("resume", first, second)
    assert (resumed.exit_code, resumed.stdout) == (3, f"{first} queued\n")
    assert f"1 of 2 jobs refused: {second} is cancelled, not paused" in resumed.stderr
    assert run("cancel", first, second, "--now").exit_code == 0
    retried = run("retry", first, second, "--from", "start").stdout.splitlines()
    assert [line.split()[::2] for line in retried] == [[first, "queued"], [second, "queued"]]
    made = agent.http.get(f"/jobs/{retried[0].split()[1]}").json()
    assert made["parent_job_id"] == first
    assert run("delete", first, second).stdout == f"{first} deleted\n{second} deleted\n"
    assert agent.http.get(f"/jobs/{first}").status_code == 404


def test_with_json_several_jobs_are_one_document_also_where_some_are_refused(
    run: Run, agent: FakeAgent
) -> None:
    first, second = (agent.submit()["id"] for _ in range(2))
    agent.http.post(f"/jobs/{second}/cancel").raise_for_status()
    for command in ("pause", "resume"):
        ended = run(command, first, second, "--json")
        reply = json.loads(ended.stdout)
        assert (ended.exit_code, reply["object"], reply["matched"]) == (3, "bulk", 2)
        assert [(each["id"], each["ok"]) for each in reply["results"]] == [
            (first, True),
            (second, False),
        ]
        assert f"1 of 2 jobs refused: {second} is cancelled" in ended.stderr
    assert run("retry", first, second, "--from", "start", "--json").exit_code == 3
    run("cancel", first)
    deleted = json.loads(run("delete", first, second, "--json").stdout)
    assert [each["ok"] for each in deleted["results"]] == [True, True]


def test_all_jobs_that_are_meant_are_changed_however_many_calls_it_takes(
    run: Run, agent: FakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_jobs, "MOST_JOBS", 2)
    labels = {"agent": agent.id}
    ids = [agent.submit(labels=labels)["id"] for _ in range(5)]
    meant = ("--where", f"label=agent:{agent.id}", "--where", "state=queued")
    paused = run("pause", *meant)
    assert paused.stdout.splitlines() == [f"{each} paused" for each in reversed(ids)]
    assert paused.stderr.splitlines() == ["2 of 5 jobs done", "4 of 5 jobs done"]
    cancelled = run("cancel", *ids)
    assert cancelled.stdout.splitlines() == [f"{each} cancelled" for each in ids]
    assert cancelled.stderr.splitlines() == ["2 of 5 jobs done", "4 of 5 jobs done"]
    own = ("--where", f"label=agent:{agent.id}", "--from", "start")
    retried = json.loads(run("retry", *own, "--json").stdout)
    assert (retried["matched"], "left" in retried, "next" in retried) == (5, False, False)
    assert [each["id"] for each in retried["results"]] == list(reversed(ids))
    refused = run("retry", *own)
    assert (refused.exit_code, len(refused.stdout.splitlines())) == (3, 5)
    assert "5 of 10 jobs refused" in refused.stderr
    rest = run("retry", *own, "--where", f"after={ids[3]}", "--where", "state=cancelled")
    assert [line.split()[0] for line in rest.stdout.splitlines()] == list(reversed(ids[:3]))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "name the jobs, or say by --where"),
        (("@last", "--where", "state=failed"), "one of the two"),
        (("--where", "failed"), "write NAME=VALUE"),
        (("--where", "recipe=a", "--where", "recipe=b"), "recipe is given twice"),
        (("--where", "after=job_1"), "say which jobs are meant, too"),
        (("--where", "parts=true"), "alone it means every job"),
        (("--where", "parts=true", "--where", "after=job_1"), "alone it means every job"),
    ],
)
def test_jobs_that_cannot_be_meant_are_refused_before_any_is_changed(
    run: Run, arguments: tuple[str, ...], reason: str
) -> None:
    refused = run("cancel", *arguments)
    assert (refused.exit_code, reason in refused.stderr) == (2, True), refused.stderr
    unknown = run("delete", "--where", "beauty=1")
    assert unknown.exit_code == 3
    assert "beauty" in unknown.stderr


def test_a_command_that_cannot_go_on_says_how_many_are_left_and_how_to(
    run: Run, agent: FakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_jobs, "MOST_JOBS", 2)
    ids = [agent.submit(labels={"agent": agent.id})["id"] for _ in range(3)]
    bulk = TrainyardClient.bulk

    def fail_later(client: TrainyardClient, *args: Any, **fields: Any) -> Any:
        if fields.get("after") is not None:
            raise ServerUnreachable("the-server", OSError("away"))
        return bulk(client, *args, **fields)

    monkeypatch.setattr(TrainyardClient, "bulk", fail_later)
    failed = run("pause", "--where", f"label=agent:{agent.id}")
    assert failed.exit_code == 5
    assert len(failed.stdout.splitlines()) == 2
    assert f"2 jobs done, 1 not yet: go on with --where after={ids[1]}" in failed.stderr
    again = run("resume", "--where", f"label=agent:{agent.id}", "--json")
    reply = json.loads(again.stdout)
    assert (again.exit_code, reply["next"], reply["left"]) == (5, ids[1], 1)
    assert [each["id"] for each in reply["results"]] == [ids[2], ids[1]]


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
