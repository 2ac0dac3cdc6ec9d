"""From the submission of a job to its first step there is one trace, over all processes."""

import json
from pathlib import Path
from typing import Any

from api_tests.support.installation import PARAMS, SHORT, TRAIN, Installation

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def spans_of(file: Path) -> dict[str, dict[str, Any]]:
    """By name the spans that all processes have appended; of a name the first."""
    spans: dict[str, dict[str, Any]] = {}
    for line in file.read_text().splitlines():
        span = json.loads(line)
        spans.setdefault(span["name"], span)
    return spans


def test_submission_queue_claim_attempt_and_first_step_are_one_trace(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    installation = Installation(tmp_path, TRACE_FILE=str(file))
    try:
        body = TRAIN | {"params": PARAMS | SHORT}
        submitted = installation.http.post("/jobs", json=body, headers={"traceparent": CALLER})
        job_id = submitted.json()["id"]
        installation.start_worker()
        job = installation.client.wait(job_id, timeout_seconds=90)
        assert job.state == "succeeded", job.message
    finally:
        installation.close()
    spans = spans_of(file)
    names = ["request", "queue", "claim", "attempt", "first step"]
    assert [spans[name]["service"] for name in names] == [
        "trainyard-server",
        "trainyard-server",
        "trainyard-server",
        "trainyard-worker",
        "trainyard-rank",
    ]
    assert {spans[name]["trace_id"] for name in names} == {CALLER.split("-")[1]}
    parents = [spans[name]["parent_id"] for name in names]
    assert parents == [CALLER.split("-")[2], *(spans[name]["span_id"] for name in names[:-1])]
    assert not [name for name in names if spans[name]["error"] is not None]
    attempt, step = spans["attempt"], spans["first step"]
    assert attempt["attributes"] == {"job_id": job_id, "attempt": 1}
    assert attempt["start_ns"] <= step["start_ns"] < step["end_ns"] <= attempt["end_ns"]
    assert spans["request"]["attributes"]["request_id"] == submitted.headers["x-request-id"]
