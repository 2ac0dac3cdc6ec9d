"""The client over real HTTP, against a stand-in server with faults."""

import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import Response

from service.client import (
    ApiError,
    DownloadDamaged,
    InvalidConnection,
    ServerUnreachable,
    StillRunning,
    TrainyardClient,
    TrainyardError,
    UnexpectedAnswer,
)
from service.contract.jobs import Event, JobState
from service.contract.specs import TrainSpec

CONTENT = bytes(range(256)) * 40


def test_a_lost_reply_is_asked_for_again_with_the_same_key(
    client: TrainyardClient, fake: Any, spec: dict[str, Any]
) -> None:
    fake.lose_replies = 2
    job = client.submit(TrainSpec.model_validate(spec))
    keys = {headers["idempotency-key"] for headers in fake.requests_to("POST", "/jobs")}
    assert len(fake.requests_to("POST", "/jobs")) == 3
    assert len(keys) == 1
    assert [each.id for each in fake.jobs] == [job.id]


def test_two_submissions_have_two_keys(
    client: TrainyardClient, fake: Any, spec: dict[str, Any]
) -> None:
    assert client.submit(spec).id != client.submit(spec).id
    assert len(fake.by_key) == 2


def test_a_caller_may_choose_the_key(
    client: TrainyardClient, fake: Any, spec: dict[str, Any]
) -> None:
    client.submit(spec, key="mine")
    assert list(fake.by_key) == ["mine"]


@pytest.mark.parametrize("knows_explain", [True, False])
def test_a_dry_run_of_an_older_server_has_no_hints(
    client: TrainyardClient, fake: Any, problem: Any, spec: dict[str, Any], knows_explain: bool
) -> None:
    unknown = {"pointer": "/explain", "detail": "is not known"}
    completed = Response(json.dumps(spec))
    if not knows_explain:
        fake.instead = [problem(422, "invalid", "explain is not known", errors=[unknown])]
    fake.instead.append(completed)
    explanation = client.explain(spec)
    assert explanation.hints == ()
    assert explanation.spec.recipe == spec["recipe"]


def test_a_problem_becomes_an_error_that_names_the_fields(
    client: TrainyardClient, fake: Any, problem: Any, spec: dict[str, Any]
) -> None:
    wrong = {"pointer": "/params/image_size", "detail": "must be a multiple of 32"}
    fake.instead = [problem(422, "invalid", "the job is not valid", errors=[wrong])]
    with pytest.raises(ApiError) as caught:
        client.submit(spec)
    assert (caught.value.status, caught.value.code) == (422, "invalid")
    assert caught.value.errors[0].pointer == "/params/image_size"
    assert "/params/image_size: must be a multiple of 32" in str(caught.value)
    assert len(fake.requests_to("POST", "/jobs")) == 1


def test_a_server_that_is_busy_is_asked_again_when_it_says(
    client: TrainyardClient, fake: Any, problem: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(1)]
    fake.instead = [problem(503, "busy", "a moment", headers={"Retry-After": "0"})]
    assert client.job("job_0001").id == "job_0001"
    assert fake.statuses("/jobs/job_0001") == [503, 200]


def test_an_absent_server_is_unreachable_and_named() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with TrainyardClient(url, tries=2) as client, pytest.raises(ServerUnreachable, match=url):
            client.job("job_0001")


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidConnection, match="not an address"):
        TrainyardClient("localhost:8000")


def test_an_answer_of_something_else_is_no_crash(client: TrainyardClient, fake: Any) -> None:
    fake.instead = [Response("<html>hello</html>"), Response('{"id": "job_0001"}')]
    for _ in range(2):
        with pytest.raises(UnexpectedAnswer):
            client.job("job_0001")


def test_a_proxys_error_page_is_a_problem_too(client: TrainyardClient, fake: Any) -> None:
    fake.instead = [Response("<html>no</html>", 403)]
    with pytest.raises(ApiError) as caught:
        client.job("job_0001")
    assert caught.value.code == "http_403"


def test_the_token_goes_with_every_request(fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(1)]
    with TrainyardClient(fake.url, "secret") as client:
        client.job("job_0001")
    (headers,) = fake.requests_to("GET", "/jobs/job_0001")
    assert headers["authorization"] == "Bearer secret"


def test_pages_are_read_to_the_last(client: TrainyardClient, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(number) for number in (5, 4, 3, 2, 1)]
    assert [job.id for job in client.jobs()] == [job.id for job in fake.jobs]
    assert len(fake.requests_to("GET", "/jobs")) == 3


def test_events_come_in_order_and_each_once(client: TrainyardClient, fake: Any) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    fake.events = [
        Event(number=number, job_id="job_0001", kind="note", message="", created_at=at)
        for number in range(1, 6)
    ]
    assert [event.number for event in client.events("job_0001", after=1)] == [2, 3, 4, 5]


def test_waiting_reads_an_unchanged_job_as_304_and_tells_each_change_once(
    client: TrainyardClient, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(1)]

    def end_after_three_quiet_answers() -> None:
        if fake.statuses("/jobs/job_0001").count(304) == 3:
            fake.jobs = [a_job(1, state="succeeded")]

    fake.on_request = end_after_three_quiet_answers
    seen: list[JobState] = []
    ended = client.wait("job_0001", lambda job: seen.append(job.state), poll_seconds=0.01)
    assert ended.state == JobState.SUCCEEDED
    assert seen == [JobState.RUNNING, JobState.SUCCEEDED]
    assert fake.statuses("/jobs/job_0001") == [200, 304, 304, 304, 200]


def test_waiting_survives_a_server_that_is_away_for_a_while(
    fake: Any, a_job: Any, problem: Any
) -> None:
    fake.jobs = [a_job(1, state="succeeded")]
    fake.instead = [problem(503, "starting", "a moment") for _ in range(5)]
    with TrainyardClient(fake.url, tries=1) as client:
        assert client.wait("job_0001", poll_seconds=0.01).state == JobState.SUCCEEDED


def test_waiting_ends_when_the_time_is_up(client: TrainyardClient, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(1)]
    with pytest.raises(StillRunning, match="job_0001"):
        client.wait("job_0001", timeout_seconds=0.05, poll_seconds=0.01)


def test_a_download_is_whole_and_leaves_nothing_else(
    client: TrainyardClient, fake: Any, a_checkpoint: Any, tmp_path: Path
) -> None:
    fake.checkpoints, fake.content = [a_checkpoint(1, CONTENT)], CONTENT
    target = tmp_path / "new" / "model.safetensors"
    client.download("ckpt_0001", "model.safetensors", target)
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_a_broken_download_goes_on_where_it_broke(
    client: TrainyardClient, fake: Any, a_checkpoint: Any, tmp_path: Path
) -> None:
    fake.checkpoints, fake.content = [a_checkpoint(1, CONTENT)], CONTENT
    fake.cut_downloads_after = [3000, 2000]
    target = tmp_path / "model.safetensors"
    client.download("ckpt_0001", "model.safetensors", target)
    assert target.read_bytes() == CONTENT
    asked = fake.requests_to("GET", "/checkpoints/ckpt_0001/files/model.safetensors")
    assert [headers.get("range") for headers in asked] == [None, "bytes=3000-", "bytes=5000-"]


def test_a_broken_download_starts_anew_where_the_server_knows_no_ranges(
    client: TrainyardClient, fake: Any, a_checkpoint: Any, tmp_path: Path
) -> None:
    fake.checkpoints, fake.content = [a_checkpoint(1, CONTENT)], CONTENT
    fake.knows_ranges, fake.cut_downloads_after = False, [3000]
    target = tmp_path / "model.safetensors"
    client.download("ckpt_0001", "model.safetensors", target)
    assert target.read_bytes() == CONTENT


def test_wrong_bytes_are_thrown_away(
    client: TrainyardClient, fake: Any, a_checkpoint: Any, tmp_path: Path
) -> None:
    fake.checkpoints, fake.content = [a_checkpoint(1, CONTENT)], b"\xff" + CONTENT[1:]
    with pytest.raises(DownloadDamaged, match="sha256"):
        client.download("ckpt_0001", "model.safetensors", tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_download_does_not_touch_the_file_that_was_there(
    client: TrainyardClient, fake: Any, a_checkpoint: Any, tmp_path: Path
) -> None:
    fake.checkpoints, fake.content = [a_checkpoint(1, CONTENT)], CONTENT
    fake.cut_downloads_after = [10] * 4
    target = tmp_path / "model.safetensors"
    target.write_bytes(b"the old one")
    with pytest.raises(ServerUnreachable):
        client.download("ckpt_0001", "model.safetensors", target)
    assert target.read_bytes() == b"the old one"


def test_a_file_that_the_checkpoint_lacks_is_refused_by_name(
    client: TrainyardClient, fake: Any, a_checkpoint: Any, tmp_path: Path
) -> None:
    fake.checkpoints = [a_checkpoint(1, CONTENT)]
    with pytest.raises(TrainyardError, match=r"it has model\.safetensors"):
        client.download("ckpt_0001", "weights.bin", tmp_path / "weights.bin")


def test_ready_is_false_while_nobody_answers(fake: Any) -> None:
    with TrainyardClient(fake.url) as client:
        assert client.ready()
        fake.stop()
        assert not client.ready()
