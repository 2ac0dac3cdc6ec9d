"""A worker serves its own metrics, if it is asked to."""

import re
import socket

import httpx
from prometheus_client.parser import text_string_to_metric_families

from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker, Worker

URL = re.compile(r'"url": "(http://127\.0\.0\.1:\d+/metrics)"')


def samples(worker: Worker) -> dict[str, float]:
    """By name and outcome what a scrape of the worker has."""
    [url] = URL.findall(worker.log())
    families = text_string_to_metric_families(httpx.get(url).text)
    return {
        sample.name + sample.labels.get("outcome", ""): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_worker_that_is_asked_to_tells_of_its_heartbeats_and_its_host(
    start_worker: StartWorker,
) -> None:
    worker = start_worker("--metrics-port", "0")
    worker.wait_for_log("serving_metrics")
    eventually(lambda: samples(worker)["trainyard_worker_heartbeats_totalanswered"] >= 1)
    eventually(lambda: "trainyard_worker_memory_total_bytes" in samples(worker))
    found = samples(worker)
    assert (found["trainyard_worker_attempts"], found["trainyard_worker_free_slots"]) == (0, 1)
    assert found["trainyard_worker_claims_total"] == 0
    assert found["trainyard_worker_heartbeats_totalfailed"] == 0
    assert 0 <= found["trainyard_worker_silence_seconds"] < 60


def test_a_port_that_is_in_use_ends_the_worker_with_what_to_change(
    start_worker: StartWorker,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        worker = start_worker("--metrics-port", port)
        assert worker.process.wait(60) == 2
    assert "choose another --metrics-port" in worker.log()
    assert "Traceback" not in worker.log()


def test_a_worker_that_is_not_asked_serves_none(start_worker: StartWorker) -> None:
    worker = start_worker()
    worker.wait_for_log("registered")
    assert "serving_metrics" not in worker.log()
