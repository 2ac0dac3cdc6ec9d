import signal
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import pytest

from api_tests.support.event_stream import Frame, stream
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.server import Server


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps a silent stream alive every fifth of a second."""
    server = Server(tmp_path, keepalive_seconds="0.2")
    yield server
    server.stop()


def test_a_jobs_stream_tells_its_history_and_what_happens_and_ends_with_it(
    agent: FakeAgent,
) -> None:
    job = agent.submit()
    with stream(agent.http, f"/jobs/{job['id']}/stream") as frames:
        assert next(frames).kind == "submitted"
        claim = agent.claim()
        assert next(frames).kind == "claimed"
        agent.report(claim)
        rest = list(frames)
    assert [frame.kind for frame in rest] == ["succeeded", "end"]
    assert rest[-1].data == {"job_id": job["id"], "state": "succeeded", "reason": "finished"}


def test_a_stream_goes_on_after_the_last_event_that_was_seen(agent: FakeAgent) -> None:
    job = agent.submit()
    agent.report(agent.claim())
    path = f"/jobs/{job['id']}/stream"
    with stream(agent.http, path) as frames:
        seen_frames = list(frames)
    numbers = [frame.id for frame in seen_frames if frame.id is not None]
    assert numbers == sorted(numbers)
    listed = agent.http.get(f"/jobs/{job['id']}/events").json()["data"]
    assert [event["number"] for event in listed] == numbers
    for seen in range(len(numbers)):
        with stream(agent.http, path, last=numbers[seen]) as frames:
            assert list(frames) == seen_frames[seen + 1 :]


def test_the_stream_of_all_tells_of_every_job_from_now_on_or_after_an_event(
    agent: FakeAgent,
) -> None:
    before = agent.submit()
    with stream(agent.http, "/stream") as frames:
        first, second = agent.submit(), agent.submit()
        mine = of_jobs(frames, first["id"], second["id"])
        seen_frames = list(islice(mine, 2))
        assert [frame.data["job_id"] for frame in seen_frames] == [first["id"], second["id"]]
    number = agent.http.get(f"/jobs/{before['id']}/events").json()["data"][0]["number"]
    with stream(agent.http, "/stream", last=number) as frames:
        assert next(of_jobs(frames, before["id"], first["id"])).data["job_id"] == first["id"]


def test_a_stream_without_news_shows_that_it_lives(impatient: Server) -> None:
    with stream(impatient.http, "/stream") as frames:
        assert [frame.kind for frame in islice(frames, 3)] == ["comment"] * 3


def test_a_server_that_ends_lets_its_streams_go(impatient: Server) -> None:
    agent = FakeAgent(impatient)
    job = agent.submit()
    with stream(agent.http, f"/jobs/{job['id']}/stream") as frames:
        assert next(frames).kind == "submitted"
        stopper = threading.Thread(target=impatient.process.terminate)
        stopper.start()
        assert {frame.kind for frame in frames} <= {"comment"}
        stopper.join()
    # Ended as asked, and within its grace: not killed for want of an end.
    assert impatient.process.wait(4) in (0, -signal.SIGTERM)
    agent.http.close()


def test_a_stream_of_a_job_that_is_not_there_is_not_found(http: httpx.Client) -> None:
    problem_of(http.get("/jobs/job_none/stream"), 404, "no_such_job")


def test_a_last_event_that_is_no_number_is_refused(http: httpx.Client) -> None:
    answer = http.get("/stream", headers={"Last-Event-ID": "x"})
    problem_of(answer, 422, "invalid")


def of_jobs(frames: Iterator[Frame], *job_ids: str) -> Iterator[Frame]:
    return (frame for frame in frames if frame.id is not None and frame.data["job_id"] in job_ids)
