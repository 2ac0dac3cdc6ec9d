"""The id of a request is in the history of the job that it changes, and in the server's log."""

import json
from pathlib import Path

import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server


def events_of(http: httpx.Client, job_id: str) -> dict[str, str | None]:
    """By the kind of the events of a job the ids of their requests."""
    events = http.get(f"/jobs/{job_id}/events").json()["data"]
    return {event["kind"]: event.get("request_id") for event in events}


def test_each_event_names_the_request_that_caused_it(agent: FakeAgent) -> None:
    def sent(name: str) -> dict[str, str]:
        return {"X-Request-ID": name}

    submitted = agent.http.post("/jobs", json=agent.spec(), headers=sent("submit-1"))
    job_id = submitted.json()["id"]
    agent.http.post(f"/jobs/{job_id}/pause", headers=sent("pause-1"))
    agent.http.post(f"/jobs/{job_id}/resume", headers=sent("resume-1"))
    many = {"action": "priority", "ids": [job_id], "priority": 7}
    agent.http.post("/jobs/bulk", json=many, headers=sent("bulk-1"))
    agent.http.post(f"/jobs/{job_id}/cancel", json={}, headers=sent("cancel-1"))
    assert events_of(agent.http, job_id) == {
        "submitted": "submit-1",
        "paused": "pause-1",
        "resumed": "resume-1",
        "edited": "bulk-1",
        "cancel": "cancel-1",
    }


def test_jobs_of_the_route_itself_have_the_id_too(agent: FakeAgent) -> None:
    # A body that is not the model's own goes to the route.
    key = {"Idempotency-Key": "route-1", "X-Request-ID": "route-1"}
    answer = agent.http.post("/jobs?validate_only=false", json=agent.spec(), headers=key)
    assert events_of(agent.http, answer.json()["id"]) == {"submitted": "route-1"}


def test_what_the_server_does_by_itself_names_no_request(tmp_path: Path) -> None:
    server = Server(tmp_path, start_seconds="0.2", retry_backoff_seconds="0.1")
    lost = FakeAgent(server)
    job = lost.submit()
    assert lost.ask().status_code == 200
    found: dict[str, str | None] = {}
    while "requeued" not in found:
        found = events_of(server.http, job["id"])
    assert found["requeued"] is None
    assert (found["claimed"] or "").startswith("req_")
    lost.http.close()
    server.stop()


@pytest.mark.parametrize("sent", ["two words", "ünicode", "tab\tbed", "x" * 65, ""])
def test_an_id_that_is_not_well_formed_is_replaced(http: httpx.Client, sent: str) -> None:
    answer = http.get("/healthz", headers={"X-Request-ID": sent.encode("latin-1")})
    assert answer.headers["x-request-id"].startswith("req_")


def test_the_access_log_has_a_line_for_each_request_if_asked(tmp_path: Path) -> None:
    server = Server(tmp_path, access_log="true")
    server.http.get("/jobs/none?fields=secret", headers={"X-Request-ID": "mine-1"})
    server.stop()
    lines = [json.loads(line) for line in (tmp_path / "server.log").read_text().splitlines()]
    [line] = [line for line in lines if line.get("request_id") == "mine-1"]
    assert line["event"] == "request"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/jobs/none", 422)
    assert line["route"] == "/jobs/{job_id}"
    assert line["client"] == "127.0.0.1"
    assert "secret" not in str(line)
