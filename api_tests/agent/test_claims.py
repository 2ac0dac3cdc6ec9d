"""Registering and claiming."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import Plane
from api_tests.support.worker_process import StartWorker


def test_a_claim_whose_reply_was_lost_is_asked_for_again_and_run_once(
    plane: Plane, start_worker: StartWorker
) -> None:
    plane.claims_to_lose = 2
    start_worker(ranks="succeeds")
    held = plane.offer(a_claim())
    plane.report_of(held)
    plane.wait_for(lambda: len(plane.claim_requests) >= 4)
    ids = [request.request_id for request in plane.claim_requests]
    assert len(set(ids[:3])) == 1
    assert ids[3] != ids[0]
    assert len(plane.reports) == 1
    assert held.kinds() == ["started", "ended"]


@pytest.mark.parametrize("verb", ["claims", "heartbeats"])
def test_a_worker_that_was_forgotten_registers_again_and_goes_on(
    plane: Plane, start_worker: StartWorker, verb: str
) -> None:
    start_worker(ranks="succeeds")
    # Now it knows how often to beat.
    plane.report_of(plane.offer(a_claim("job_0")))
    plane.stop()
    plane.forgets = {verb}
    plane.start()
    plane.wait_for(lambda: len(plane.registered) == 2)
    plane.report_of(plane.offer(a_claim()))
    assert plane.registered[0] == plane.registered[1]


def test_the_first_beat_of_an_attempt_comes_before_its_ranks(
    plane: Plane, start_worker: StartWorker
) -> None:
    worker = start_worker(ranks="obeys")
    plane.silent = True
    held = plane.offer(a_claim())
    plane.wait_for(lambda: plane.hushed)
    worker.titled("warm")
    assert not any("rank" in title for title in worker.titles())
    plane.speak()
    plane.wait_for(lambda: "started" in held.kinds())


def test_a_worker_runs_as_many_attempts_as_it_has_slots(
    plane: Plane, start_worker: StartWorker
) -> None:
    start_worker("--slots", "2", ranks="obeys")
    held = [plane.offer(a_claim(f"job_{number}")) for number in (1, 2, 3)]
    plane.wait_for(lambda: all("started" in each.kinds() for each in held[:2]))
    assert [request.free_slots for request in plane.claim_requests] == [2, 1]
    held[0].directive = "checkpoint_and_stop"
    plane.wait_for(lambda: "started" in held[2].kinds())


def test_a_worker_that_the_control_plane_drains_claims_nothing_until_it_is_wanted_again(
    plane: Plane, start_worker: StartWorker
) -> None:
    start_worker(ranks="obeys")
    held = plane.offer(a_claim())
    plane.wait_for(lambda: "started" in held.kinds())
    plane.drain = True
    beats = held.beats
    plane.wait_for(lambda: held.beats > beats + 1)
    held.directive = "checkpoint_and_stop"
    plane.report_of(held)
    asked = len(plane.claim_requests)
    heard = plane.heartbeats
    plane.wait_for(lambda: plane.heartbeats > heard)
    assert len(plane.claim_requests) == asked
    plane.drain = False
    plane.wait_for(lambda: len(plane.claim_requests) > asked)


def test_a_worker_with_a_wrong_token_says_which_variable_to_set(
    plane: Plane, tmp_path: Path
) -> None:
    plane.token = "right"
    tried = subprocess.run(
        [sys.executable, "-m", "workers", "--server", plane.url, "--volume", str(tmp_path)],
        env=os.environ | {"TRAINYARD_TOKEN": "wrong-secret"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert tried.returncode == 1
    assert "set TRAINYARD_TOKEN" in tried.stderr
    assert "wrong-secret" not in tried.stderr


def test_a_worker_with_the_token_sends_it_with_every_call(
    plane: Plane, start_worker: StartWorker
) -> None:
    plane.token = "right"
    worker = start_worker(ranks="succeeds", TRAINYARD_TOKEN="right")
    plane.report_of(plane.offer(a_claim()))
    worker.process.send_signal(signal.SIGTERM)
    plane.wait_for(lambda: plane.gone)


@pytest.mark.parametrize("visible", [None, "1"])
def test_a_worker_registers_its_machines_gpus(
    plane: Plane, start_worker: StartWorker, two_gpus: str, visible: str | None
) -> None:
    variables = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    start_worker("--labels", "zone=b,site=x", ranks="succeeds", PATH=two_gpus, **variables)
    plane.wait_for(lambda: plane.claim_requests)
    _, registration = plane.registered[0]
    assert [gpu.index for gpu in registration.gpus] == ([0, 1] if visible is None else [1])
    assert registration.gpus[0].memory_bytes == 81559 << 20
    assert registration.labels == {"zone": "b", "site": "x"}
    assert plane.claim_requests[0].free_gpus == len(registration.gpus)
