"""A job of low priority gives its place to an urgent one, and loses nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.installation import PATIENT, TRAIN, Installation, rank_of, until
from service.client import TrainyardClient

# One after another: their leases are of seconds, and each needs the machine's cores.
pytestmark = pytest.mark.xdist_group("whole machine")

URGENT = TRAIN | {"priority": 5, "params": TRAIN["params"] | {"total_iters": 5}}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A control plane by which an attempt need not run for a minute before it is preempted."""
    patience = PATIENT | {"KILL_GRACE_SECONDS": "20", "REASSIGN_SECONDS": "90"}
    installation = Installation(tmp_path, PREEMPT_AFTER_SECONDS="0.1", **patience)
    yield installation
    installation.close()


@pytest.mark.parametrize("is_server_killed", [False, True], ids=["", "and the server is killed"])
def test_a_low_job_saves_for_an_urgent_one_and_then_goes_on_to_the_same_weights(
    installation: Installation, undisturbed: str, is_server_killed: bool
) -> None:
    client = installation.client
    worker = installation.start_worker(SLOTS="1")
    low = client.submit(TRAIN | {"preemptible": True}).id
    installation.running_past(low, 5)
    # It cannot end before it is asked.
    training = rank_of(worker)
    training.suspend()
    urgent = client.submit(URGENT).id
    until(lambda: messages(client, urgent, "preemption"))
    if is_server_killed:
        installation.server.kill()
        installation.server.wait()
        installation.start_server()
    training.resume()
    assert client.wait(urgent, timeout_seconds=90).state == "succeeded"
    ended = client.wait(low, timeout_seconds=90)
    assert ended.state == "succeeded", ended.message
    assert installation.final_digest(low) == undisturbed
    first, second = client.attempts(low)
    assert (first.state, first.reason, second.state) == ("released", "preempted", "succeeded")
    assert client.attempts(urgent)[0].created_at >= first.finished_at
    assert second.created_at >= client.job(urgent).finished_at
    (asked,) = messages(client, low, "preemption")
    assert asked.startswith(f"preempted for {urgent} of priority 5")
    assert any("resumed at step" in each for each in messages(client, low, "started"))


def messages(client: TrainyardClient, job_id: str, kind: str) -> list[str]:
    return [event.message for event in client.events(job_id) if event.kind == kind]
