"""Registering and claiming."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.gpu_driver import FakeDriver
from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker


def test_a_claim_whose_reply_was_lost_is_asked_for_again_and_run_once(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    control_plane.claims_to_lose = 2
    start_worker(ranks="succeeds")
    held = control_plane.offer(a_claim())
    control_plane.report_of(held)
    control_plane.wait_for(lambda: len(control_plane.claim_requests) >= 4)
    ids = [request.request_id for request in control_plane.claim_requests]
    assert len(set(ids[:3])) == 1
    assert ids[3] != ids[0]
    assert len(control_plane.reports) == 1
    assert held.kinds() == ["started", "ended"]


@pytest.mark.parametrize("verb", ["claims", "heartbeats"])
def test_a_worker_that_was_forgotten_registers_again_and_goes_on(
    control_plane: FakeControlPlane, start_worker: StartWorker, verb: str
) -> None:
    start_worker(ranks="succeeds")
    # Now it knows how often to beat.
    control_plane.report_of(control_plane.offer(a_claim("job_0")))
    control_plane.stop()
    control_plane.forgets = {verb}
    control_plane.start()
    control_plane.wait_for(lambda: len(control_plane.registered) == 2)
    control_plane.report_of(control_plane.offer(a_claim()))
    assert control_plane.registered[0] == control_plane.registered[1]


def test_the_first_beat_of_an_attempt_comes_before_its_ranks(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(ranks="obeys")
    control_plane.silent = True
    held = control_plane.offer(a_claim())
    control_plane.wait_for(lambda: control_plane.hushed)
    worker.titled("warm")
    assert not any("rank" in title for title in worker.titles())
    control_plane.speak()
    control_plane.wait_for(lambda: "started" in held.kinds())


def test_a_worker_runs_as_many_attempts_as_it_has_slots(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker("--slots", "2", ranks="obeys")
    held = [control_plane.offer(a_claim(f"job_{number}")) for number in (1, 2, 3)]
    control_plane.wait_for(lambda: all("started" in each.kinds() for each in held[:2]))
    assert [request.free_slots for request in control_plane.claim_requests] == [2, 1]
    held[0].directive = "checkpoint_and_stop"
    control_plane.wait_for(lambda: "started" in held[2].kinds())


def test_a_job_of_more_hosts_than_the_worker_has_is_given_back(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker(ranks="succeeds")
    held = control_plane.offer(a_claim(hosts=2))
    report = control_plane.report_of(held)
    assert (report.outcome, report.reason) == ("released", "released")
    assert "it needs 2 hosts, and this worker has one" in report.message
    assert held.events == []
    # Its worker has slots again for the next job.
    assert control_plane.report_of(control_plane.offer(a_claim("job_2"))).outcome == "succeeded"


def test_a_worker_that_the_control_plane_drains_claims_nothing_until_it_is_wanted_again(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker(ranks="obeys")
    held = control_plane.offer(a_claim())
    control_plane.wait_for(lambda: "started" in held.kinds())
    control_plane.drain = True
    beats = held.beats
    control_plane.wait_for(lambda: held.beats > beats + 1)
    held.directive = "checkpoint_and_stop"
    control_plane.report_of(held)
    asked = len(control_plane.claim_requests)
    beats_before = control_plane.heartbeats
    control_plane.wait_for(lambda: control_plane.heartbeats > beats_before)
    assert len(control_plane.claim_requests) == asked
    control_plane.drain = False
    control_plane.wait_for(lambda: len(control_plane.claim_requests) > asked)


def test_a_worker_with_a_wrong_token_says_which_variable_to_set(
    control_plane: FakeControlPlane, tmp_path: Path
) -> None:
    control_plane.token = "right"
    tried = subprocess.run(
        [sys.executable, "-m", "workers", "--server", control_plane.url, "--volume", str(tmp_path)],
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
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    control_plane.token = "right"
    worker = start_worker(ranks="succeeds", TRAINYARD_TOKEN="right")
    control_plane.report_of(control_plane.offer(a_claim()))
    worker.process.send_signal(signal.SIGTERM)
    control_plane.wait_for(lambda: control_plane.gone)


@pytest.mark.parametrize("visible", [None, "1"])
def test_a_worker_registers_its_machines_gpus(
    control_plane: FakeControlPlane,
    start_worker: StartWorker,
    driver: FakeDriver,
    visible: str | None,
) -> None:
    variables = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    start_worker("--labels", "zone=b,site=x", ranks="succeeds", **driver.variables, **variables)
    control_plane.wait_for(lambda: control_plane.claim_requests)
    _, registration = control_plane.registered[0]
    assert [gpu.index for gpu in registration.gpus] == ([0, 1] if visible is None else [1])
    assert registration.gpus[0].memory_bytes == 81559 << 20
    assert registration.labels == {"zone": "b", "site": "x"}
    assert control_plane.claim_requests[0].free_gpus == len(registration.gpus)


def test_a_worker_calls_a_server_on_its_machine_past_every_proxy(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker(HTTP_PROXY="http://127.0.0.1:9", ALL_PROXY="socks5://127.0.0.1:9", no_proxy="::1")
    eventually(lambda: control_plane.registered)
