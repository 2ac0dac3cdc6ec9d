"""The commands that steer many jobs, named or meant by a filter, against the real server."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from api_tests.support.fake_agent import FakeAgent
from service.cli import many_jobs
from service.client import ServerUnreachable, TrainyardClient

Run = Callable[..., Result]


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
