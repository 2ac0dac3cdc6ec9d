"""`AsyncClient`: the same calls, awaited in one event loop."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from api_tests.support.coroutines import result_of
from api_tests.support.fake_rest_server import (
    SPEC,
    FakeRestServer,
    a_checkpoint,
    a_job,
    problem,
)
from service.client import (
    AsyncCheckpoint,
    AsyncClient,
    AsyncJob,
    Checkpoint,
    Client,
    Job,
    NotFound,
    StillRunning,
)
from service.contract.jobs import Event, JobState

T = TypeVar("T")
CONTENT = bytes(range(256)) * 40


def _with_client(fake: FakeRestServer, program: Callable[[AsyncClient], Awaitable[T]]) -> T:
    async def run() -> T:
        async with AsyncClient(fake.url) as client:
            return await program(client)

    return result_of(run())


@pytest.mark.parametrize(
    ("blocking", "awaited"),
    [(Client, AsyncClient), (Job, AsyncJob), (Checkpoint, AsyncCheckpoint)],
)
def test_both_clients_have_the_same_verbs_with_the_same_arguments(
    blocking: type, awaited: type
) -> None:
    def verbs(kind: type) -> dict[str, object]:
        return {
            name: list(inspect.signature(value).parameters.values())
            if inspect.isfunction(value)
            else isinstance(value, property)
            for name, value in inspect.getmembers(kind)
            if not name.startswith(("_", "model_", "with_verbs")) and not inspect.isclass(value)
        }

    assert len(verbs(blocking)) > 10
    assert verbs(blocking) == verbs(awaited)


def test_a_job_is_submitted_waited_for_and_read(fake: FakeRestServer) -> None:
    fake.series = {"loss": [(10, 1.5)]}

    def end_once_polled() -> None:
        if len(fake.statuses("/jobs/job_0001")) > 2:
            fake.jobs = [a_job(1, state="succeeded")]

    fake.on_request = end_once_polled

    async def program(client: AsyncClient) -> None:
        job = await client.submit(SPEC)
        assert job.state == JobState.QUEUED
        assert await job.wait(poll_seconds=0.01) is job
        assert job.state == JobState.SUCCEEDED
        assert job.metrics["loss"] == 0.5321
        assert await job.metrics() == fake.series

    _with_client(fake, program)


def test_lists_streams_and_logs_come_item_by_item(fake: FakeRestServer) -> None:
    fake.jobs = [a_job(number, state="succeeded") for number in (3, 2, 1)]
    fake.attempt_logs = {1: "one\ntwo\nthree\n"}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    fake.events = [
        Event(number=number, job_id="job_0001", kind="note", message="", created_at=at)
        for number in range(1, 4)
    ]

    async def program(client: AsyncClient) -> None:
        jobs = [job async for job in client.jobs()]
        assert [job.id for job in jobs] == ["job_0003", "job_0002", "job_0001"]
        assert [each.id for each in await client.jobs().first(2)] == ["job_0003", "job_0002"]
        assert "".join(await jobs[2].logs(follow=True).first()) == "one\ntwo\nthree\n"
        assert [event async for event in jobs[2].stream()] == fake.events

    _with_client(fake, program)


def test_many_calls_go_on_at_the_same_time(fake: FakeRestServer) -> None:
    fake.jobs = [a_job(number) for number in range(1, 9)]

    async def program(client: AsyncClient) -> list[str]:
        jobs = await asyncio.gather(*(client.job(each.id) for each in fake.jobs))
        return [job.id for job in jobs]

    assert _with_client(fake, program) == [job.id for job in fake.jobs]


def test_a_busy_server_is_asked_again_and_a_refusal_is_raised(fake: FakeRestServer) -> None:
    fake.jobs = [a_job(1)]
    fake.instead = [problem(503, "busy", "a moment", headers={"Retry-After": "0"})]

    async def program(client: AsyncClient) -> None:
        assert (await client.job("job_0001")).id == "job_0001"
        with pytest.raises(NotFound, match="there is no job"):
            await client.job("job_0002")

    _with_client(fake, program)
    assert fake.statuses("/jobs/job_0001") == [503, 200]


def test_a_cancelled_wait_leaves_the_job_running(fake: FakeRestServer) -> None:
    fake.jobs = [a_job(1)]

    async def program(client: AsyncClient) -> None:
        job = await client.job("job_0001")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(job.wait(poll_seconds=0.01), 0.1)
        with pytest.raises(StillRunning):
            await job.wait(0.03, poll_seconds=0.01)
        assert (await job.refresh()).state == JobState.RUNNING

    _with_client(fake, program)
    assert {method for method, *_ in fake.requests} == {"GET"}


def test_a_broken_download_goes_on_where_it_broke(fake: FakeRestServer, tmp_path: Path) -> None:
    fake.checkpoints, fake.content = [a_checkpoint(1, CONTENT)], CONTENT
    fake.cut_downloads_after = [3000, 2000]

    async def program(client: AsyncClient) -> Path:
        return await (await client.latest_checkpoint()).download(tmp_path)

    assert (_with_client(fake, program) / "model.safetensors").read_bytes() == CONTENT
    asked = fake.requests_to("GET", "/checkpoints/ckpt_0001/files/model.safetensors")
    assert [headers.get("range") for headers in asked] == [None, "bytes=3000-", "bytes=5000-"]
