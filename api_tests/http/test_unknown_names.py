"""What a user writes that nobody knows is refused by its name, with the nearest right one."""

import re
from typing import Any

import httpx
import pytest

from api_tests.support.problems import pointers_of, problem_of


def operations(http: httpx.Client) -> list[tuple[str, str, set[str]]]:
    """Method, path and query parameters of every route of OpenAPI."""
    paths: dict[str, Any] = http.get("/openapi.json").json()["paths"]
    return [
        (
            method.upper(),
            re.sub(r"\{\w+\}", "x", path),
            {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"},
        )
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def test_no_route_takes_a_query_parameter_that_it_does_not_have(http: httpx.Client) -> None:
    for method, path, names in operations(http):
        if path.startswith("/agent"):
            continue
        for unknown in ("qqq", *(f"{name}s" for name in names)):
            answer = http.request(method, path, params={unknown: "1"})
            problem = problem_of(answer, 422, "invalid")
            assert pointers_of(problem) == [f"/{unknown}"], (method, path)
            nearest = unknown.removesuffix("s")
            if nearest in names:
                assert f"did you mean {nearest}?" in problem["detail"]


def test_an_agent_may_send_query_parameters_of_a_newer_version(http: httpx.Client) -> None:
    agents = [(m, path) for m, path, _ in operations(http) if path.startswith("/agent")]
    assert len(agents) >= 5
    for method, path in agents:
        answer = http.request(method, path, params={"qqq": "1"}, json={})
        assert answer.status_code in (204, 404, 422)
        assert "/qqq" not in answer.text


def test_only_the_query_parameters_that_a_route_does_not_have_are_refused(
    http: httpx.Client,
) -> None:
    for method, path, names in operations(http):
        if path.startswith("/agent"):
            continue
        answer = http.request(method, path, params=dict.fromkeys((*names, "qqq"), "1"))
        assert pointers_of(problem_of(answer, 422, "invalid")) == ["/qqq"], (method, path)


@pytest.mark.parametrize(
    ("path", "body", "pointer", "nearest"),
    [
        ("/jobs", {"priorty": 1}, "/priorty", "priority"),
        ("/jobs", {"data": {"datset": "digits"}}, "/data/datset", "dataset"),
        ("/jobs", {"retention": {"keep_lst": 2}}, "/retention/keep_lst", "keep_last"),
        ("/jobs/x/cancel", {"moode": "now"}, "/moode", "mode"),
        ("/jobs/x/retry", {"form": "start"}, "/form", "from"),
        ("/checkpoints/gc", {"dryrun": True}, "/dryrun", "dry_run"),
        ("/checkpoints/import", {"fil": "a.pth"}, "/fil", "file"),
        ("/checkpoints/x/export", {"fromat": "onnx"}, "/fromat", "format"),
    ],
)
def test_an_unknown_field_of_a_body_is_refused_with_the_nearest_name(
    http: httpx.Client, path: str, body: dict[str, Any], pointer: str, nearest: str
) -> None:
    valid = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
    answer = http.post(path, json=(valid if path == "/jobs" else {}) | body)
    problem = problem_of(answer, 422, "invalid")
    details = {each["pointer"]: each["detail"] for each in problem["errors"]}
    assert details[pointer] == f"this field is not known; did you mean {nearest}?"
