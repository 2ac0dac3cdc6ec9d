"""A preemption as its two users and its worker see it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server, wait_for


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[FakeAgent]:
    """A worker with one slot, of a server that lets no attempt run for a minute first."""
    server = Server(tmp_path, PREEMPT_AFTER_SECONDS="0.01")
    with FakeAgent(server) as agent:
        agent.put(slots=1).raise_for_status()
        yield agent
    server.stop()


def test_a_worker_is_asked_to_give_back_a_preemptible_job_for_a_more_urgent_one(
    agent: FakeAgent,
) -> None:
    low = agent.submit(preemptible=True)
    assert low["spec"]["preemptible"] is True
    claim = agent.claim()
    urgent = agent.submit(priority=5)
    assert "preemptible" not in urgent["spec"]
    stop = "checkpoint_and_stop"
    wait_for(lambda: agent.beat(claim)["directive"] == stop, "the directive")
    waiting = agent.http.get(f"/jobs/{urgent['id']}").json()
    assert waiting["wait_reason"] == f"it waits for {low['id']} on test to save and give its place"
    agent.report(claim, "released", "released").raise_for_status()
    (attempt,) = agent.http.get(f"/jobs/{low['id']}/attempts").json()["data"]
    assert (attempt["state"], attempt["reason"]) == ("released", "preempted")
    assert agent.claim()["job_id"] == urgent["id"]
    assert messages(agent, low) == [
        f"preempted for {urgent['id']} of priority 5: it saves, and goes back to the queue"
    ]
    assert messages(agent, urgent) == [
        f"waits for {low['id']} of priority 0 to save on test and give its place"
    ]


def messages(agent: FakeAgent, job: dict[str, Any]) -> list[str]:
    events = agent.http.get(f"/jobs/{job['id']}/events").json()["data"]
    return [event["message"] for event in events if event["kind"] == "preemption"]
