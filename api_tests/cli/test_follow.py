"""What follows a job: `client.follow_log`, `client.wait`, and `trainyard logs --follow`."""

from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.client import ApiError, ServerUnreachable, TrainyardClient
from service.client.calls import follow

FAST = {"poll_seconds": 0.01}


def _follow(client: TrainyardClient, **options: Any) -> str:
    return "".join(client.follow_log("job_0001", **FAST, **options))


def test_the_last_lines_of_an_attempt_are_not_lost_when_the_next_is_claimed_at_once(
    client: TrainyardClient, fake: Any, a_job: Any
) -> None:
    fake.jobs, fake.attempt_logs = [a_job(1)], {1: "begin 1\n"}

    def fail_and_run_twice_more() -> None:
        if fake.statuses("/jobs/job_0001/logs"):
            fake.attempt_logs = {1: "begin 1\nend 1\n", 2: "all of 2\n", 3: "all of 3\n"}
            fake.jobs = [a_job(1, attempt=3, state="succeeded")]

    fake.on_request = fail_and_run_twice_more
    assert _follow(client) == "begin 1\nend 1\nall of 2\nall of 3\n"


def test_an_attempt_that_was_chosen_is_followed_to_its_own_end(
    client: TrainyardClient, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(1, attempt=2)]
    fake.attempt_logs = {1: "all of 1\n", 2: "still running\n"}
    assert _follow(client, attempt=1) == "all of 1\n"


def test_an_attempt_without_a_log_yet_is_waited_for(
    client: TrainyardClient, fake: Any, a_job: Any
) -> None:
    fake.jobs, fake.attempt_logs = [a_job(1)], {1: None}

    def write_once_asked_for() -> None:
        if 404 in fake.statuses("/jobs/job_0001/logs"):
            fake.jobs, fake.attempt_logs = [a_job(1, state="succeeded")], {1: "one\n"}

    fake.on_request = write_once_asked_for
    assert _follow(client) == "one\n"


def test_a_job_that_ends_without_a_log_ends_the_following(
    client: TrainyardClient, fake: Any, a_job: Any
) -> None:
    fake.jobs, fake.attempt_logs = [a_job(1, state="failed")], {1: None}
    assert _follow(client) == ""


@pytest.mark.parametrize("call", ["follow_log", "wait"])
def test_a_server_that_is_away_for_a_while_ends_nothing_that_follows(
    fake: Any, a_job: Any, problem: Any, call: str
) -> None:
    fake.jobs, fake.log = [a_job(1)], "one\ntwo\nthree\n"
    away = [problem(503, "starting", "a moment") for _ in range(2)]

    def restart_in_the_middle() -> None:
        if len(fake.requests) == 1:
            fake.instead, fake.jobs = list(away), [a_job(1, state="succeeded")]

    fake.on_request = restart_in_the_middle
    with TrainyardClient(fake.url, tries=1) as client:
        if call == "wait":
            assert client.wait("job_0001", **FAST).state == "succeeded"
        else:
            assert _follow(client) == "one\ntwo\nthree\n"
    assert any(status == 503 for _, _, _, status in fake.requests)


@pytest.mark.parametrize("call", ["follow_log", "wait"])
def test_a_server_that_stays_away_ends_what_follows_with_an_error(
    fake: Any, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", 0.2)
    fake.stop()
    with (
        TrainyardClient(fake.url, tries=1) as client,
        pytest.raises(ServerUnreachable, match=fake.url),
    ):
        list(getattr(client, call)("job_0001", **FAST))


def test_a_refusal_ends_the_following_at_once(client: TrainyardClient) -> None:
    with pytest.raises(ApiError, match="there is no job"):
        _follow(client)


def test_the_command_follows_as_the_client_does(fake: Any, a_job: Any, problem: Any) -> None:
    fake.jobs = [a_job(1, attempt=2, state="succeeded")]
    fake.attempt_logs = {1: "all of 1\n", 2: "all of 2\n"}
    fake.instead = [problem(503, "starting", "a moment") for _ in range(4)]
    args = ["logs", "job_0001", "--follow", "--attempt", "1", "--server", fake.url]
    assert CliRunner().invoke(app, args).stdout == "all of 1\n"
