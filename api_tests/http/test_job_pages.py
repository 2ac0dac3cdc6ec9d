"""Pages of jobs: what each job is now, drawn once for all who ask at the same time."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from api_tests.support.coroutines import result_of
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server
from service.shared_reads import SharedReads

FILTERS = [
    {},
    {"kind": "train"},
    {"recipe": "oneshot"},
    {"label": "team:vision"},
    *({"state": state} for state in ("queued", "running", "paused", "failed", "succeeded")),
]


@pytest.fixture
def agent(server_on_each_database: Server) -> Iterator[FakeAgent]:
    with FakeAgent(server_on_each_database) as agent:
        agent.put(slots=8)
        yield agent


def test_a_job_in_a_page_is_what_its_own_route_shows_also_when_only_others_changed(
    agent: FakeAgent,
) -> None:
    checkpoint = _jobs_in_every_state(agent)
    before = _pages(agent)
    first, second, third = (job["id"] for job in reversed(before) if job["state"] == "queued")
    # None of these changes the row of a job that is shown again.
    agent.http.post(f"/jobs/{first}/cancel").raise_for_status()
    agent.http.delete(f"/checkpoints/{checkpoint}").raise_for_status()
    agent.http.post(f"/workers/{agent.id}/drain").raise_for_status()
    shown = {job["id"]: job for job in before}
    after = {job["id"]: job for job in _pages(agent)}
    failed = next(job["id"] for job in before if job["state"] == "failed")
    changed = {
        i for i in after if after[i] != shown[i] and after[i]["version"] == shown[i]["version"]
    }
    assert changed == {second, third, failed}
    assert [after[i]["queue_position"] for i in (second, third)] == [1, 2]
    assert after[second]["wait_reason"] == "no worker takes jobs now"
    assert [action["name"] for action in shown[failed]["actions"]] == ["retry", "delete"]
    assert [action["name"] for action in after[failed]["actions"]] == ["delete"]


def test_a_reply_is_of_a_read_that_began_after_it_was_asked_for() -> None:
    reads: list[str] = []
    began, may_end = threading.Semaphore(0), threading.Semaphore(0)

    def read(key: str) -> int:
        reads.append(key)
        began.release()
        assert may_end.acquire(timeout=30)
        return len(reads)

    async def replies() -> list[int]:
        shared = SharedReads[str, int](read)
        first = asyncio.create_task(shared.reply("a"))
        await asyncio.to_thread(began.acquire)
        later = [asyncio.create_task(shared.reply("a")) for _ in range(3)]
        other = asyncio.create_task(shared.reply("b"))
        # That one is read beside the first, which is still under way.
        await asyncio.to_thread(began.acquire)
        may_end.release(3)
        return [await each for each in (first, *later, other)]

    first, *later, _ = result_of(replies())
    assert reads == ["a", "b", "a"]
    assert later == [3, 3, 3]
    assert first < 3


def test_a_read_that_fails_is_each_askers_error_and_the_next_is_made_anew() -> None:
    errors = [OSError("the database is away")]

    def read(_: str) -> str:
        if errors:
            raise errors.pop()
        return "read"

    async def replies() -> list[Any]:
        shared = SharedReads[str, str](read)
        asked = [asyncio.create_task(shared.reply("a")) for _ in range(2)]
        failed = await asyncio.gather(*asked, return_exceptions=True)
        return [*failed, await shared.reply("a")]

    first, second, last = result_of(replies())
    assert (str(first), str(second)) == ("the database is away",) * 2
    assert last == "read"


def test_a_caller_that_goes_away_takes_no_reply_from_the_others() -> None:
    may_end = threading.Event()

    def read(_: str) -> str:
        assert may_end.wait(timeout=30)
        return "read"

    async def reply() -> str:
        shared = SharedReads[str, str](read)
        gone, stays = (asyncio.create_task(shared.reply("a")) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        may_end.set()
        return await stays

    assert result_of(reply()) == "read"


def _jobs_in_every_state(agent: FakeAgent) -> str:
    """A job in each state, three in the queue; the checkpoint from which the failed one started."""
    once = {"max_failures": 0, "labels": {"team": "vision"}}
    paths = [f"/jobs/{agent.submit(**once)['id']}" for _ in range(4)]
    ended, _, paused, _ = (agent.claim() for _ in paths)
    checkpoint = agent.save(ended, 1)
    agent.report(ended)
    agent.http.post(f"{paths[2]}/pause").raise_for_status()
    agent.report(paused, "released", "released")
    agent.http.post(f"{paths[3]}/cancel").raise_for_status()
    agent.submit(**once, init_from={"id": checkpoint, "state": "weights"})
    agent.report(agent.claim(), "failed", "crashed", message="it crashed")
    for _ in range(3):
        agent.submit()
    return checkpoint


def _pages(agent: FakeAgent) -> list[dict[str, Any]]:
    """The jobs of all pages, each compared with what its own route shows."""
    for filters in FILTERS:
        page = agent.http.get("/jobs", params=filters)
        assert page.json()["data"], filters
        for job in page.json()["data"]:
            assert agent.http.get(f"/jobs/{job['id']}").text in page.text, filters
    jobs: list[dict[str, Any]] = agent.http.get("/jobs").json()["data"]
    return jobs
