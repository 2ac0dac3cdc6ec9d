"""A request that no route can answer is refused with its reason, and costs one line of the log."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api_tests.support.problems import problem_of
from api_tests.support.routes import operations
from api_tests.support.server import Server

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose log has the requests of this file alone."""
    server = Server(tmp_path_factory.mktemp("own"))
    yield server
    server.stop()


@pytest.mark.parametrize(
    "value",
    ["x" * 65, "x" * 5000, "a%00b", "%ED%A0%80", "..%2f..", "%20%0a", "é"],
)
def test_an_id_that_none_can_be_is_refused_on_every_route_and_costs_no_trace(
    own: Server, app: FastAPI, value: str
) -> None:
    asked = [each for each in operations(app) if "{" in each.template]
    assert len(asked) > 25
    for each in asked:
        path = re.sub(r"\{[\w:]+\}", value, each.template)
        body = b"{}" if each.method in ("POST", "PUT", "PATCH") else None
        answer = own.http.request(each.method, path, content=body, headers=JSON)
        assert answer.status_code in (404, 405, 422), (each, answer.text)
    assert own.process.poll() is None
    lines = (own.folder / "server.log").read_text().splitlines()
    assert not [line for line in lines if "Traceback" in line or len(line) > 500]


def test_what_can_be_no_id_is_refused_in_words(http: httpx.Client) -> None:
    problem = problem_of(http.get("/jobs/a@b"), 422, "invalid")
    assert "job_id: must be an id, of at most 64 letters" in problem["detail"]


@pytest.mark.parametrize(
    "query", ["job={}", "recipe={}", "variant={}", "after={}", "tag={}", "label=team:{}"]
)
@pytest.mark.parametrize("value", ["x" * 5000, "%00"])
def test_a_query_that_no_database_can_hold_is_refused(
    http: httpx.Client, query: str, value: str
) -> None:
    path = "/jobs" if query.startswith("label") else "/checkpoints"
    answer = http.get(f"{path}?{query.format(value)}")
    problem_of(answer, 422, "invalid")


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=5.0", "whole number"),
        ("limit=%2B5", "whole number"),
        ("limit=1_0", "whole number"),
        ("limit=%205", "whole number"),
        ("after=0x1", "whole number"),
    ],
)
def test_a_number_of_a_query_is_written_in_digits(
    http: httpx.Client, query: str, detail: str
) -> None:
    answer = http.get(f"/jobs/x/events?{query}")
    assert detail in problem_of(answer, 422, "invalid")["detail"]


@pytest.mark.parametrize("value", ["1", "yes", "True", "on"])
def test_a_flag_of_a_query_is_true_or_false(http: httpx.Client, value: str) -> None:
    answer = http.post(f"/jobs?validate_only={value}", json={})
    assert "must be true or false" in problem_of(answer, 422, "invalid")["detail"]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/jobs", {"priority": True}, "/priority"),
        ("/jobs", {"priority": "1"}, "/priority"),
        ("/jobs", {"preemptible": "yes"}, "/preemptible"),
        ("/jobs", {"preemptible": 1}, "/preemptible"),
        ("/jobs", {"max_failures": True}, "/max_failures"),
        ("/jobs", {"resources": {"gpus": True}}, "/resources/gpus"),
        ("/jobs", {"retention": {"keep_last": "3"}}, "/retention/keep_last"),
        ("/jobs", {"retention": {"keep_best": True}}, "/retention/keep_best"),
        ("/checkpoints/gc", {"dry_run": 1}, "/dry_run"),
        ("/checkpoints/gc", {"dry_run": "yes"}, "/dry_run"),
        ("/checkpoints/x/export", {"module_prefix": "true"}, "/module_prefix"),
        ("/checkpoints/import", {"file": "a", "image_size": "224"}, "/image_size"),
    ],
)
def test_a_value_of_another_json_type_is_refused(
    http: httpx.Client, path: str, body: dict[str, Any], pointer: str
) -> None:
    valid = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
    answer = http.post(path, json=(valid if path == "/jobs" else {}) | body)
    problem = problem_of(answer, 422, "invalid")
    assert pointer in [each["pointer"] for each in problem["errors"]]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b'{"name": "\xff"}', 400, "not UTF-8"),
        (b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "nested too deeply"),
        (b'{"priority": ' + b"9" * 5000 + b"}", 400, "too many digits"),
        (b'{"name": }', 422, "Expecting value at character 9"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(
    http: httpx.Client, body: bytes, status: int, reason: str
) -> None:
    answer = http.post("/jobs", content=body, headers=JSON)
    assert reason in problem_of(answer, status, "not_json")["detail"]


@pytest.mark.parametrize("path", ["/recipes", "/jobs/job_1"])
def test_an_error_of_the_server_is_one_line_with_the_id_that_the_answer_names(
    tmp_path: Path, path: str
) -> None:
    server = Server(tmp_path, module="api_tests.support.failing_server")
    try:
        answer = server.http.get(path, headers={"X-Request-ID": "mine-1"})
        problem_of(answer, 500, "internal")
        lines = [
            line
            for line in (tmp_path / "server.log").read_text().splitlines()
            if "a mistake" in line or "Traceback" in line
        ]
        (line,) = lines
        logged = json.loads(line)
        assert (logged["event"], logged["request_id"]) == ("request_failed", "mine-1")
        assert logged["path"] == path
    finally:
        server.stop()
