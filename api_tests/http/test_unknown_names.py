"""What a user writes that nobody knows is refused by its name, with the nearest right one."""

from collections.abc import Callable
from inspect import signature
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.routes import Operation, operations
from service.client import TrainyardClient


@pytest.fixture
def of_people(app: FastAPI) -> list[Operation]:
    """The operations that people call: those of the page and of the documentation, too."""
    found = [each for each in operations(app) if not each.is_of_agents]
    assert {"/", "/dashboard/{path:path}", "/docs", "/jobs"} <= {each.template for each in found}
    return found


def test_no_route_takes_a_query_parameter_that_it_does_not_have(
    http: httpx.Client, of_people: list[Operation]
) -> None:
    for each in of_people:
        for unknown in ("qqq", *(f"{name}s" for name in each.queries)):
            answer = http.request(each.method, each.path, params={unknown: "1"})
            problem = problem_of(answer, 422, "invalid")
            assert pointers_of(problem) == [f"/{unknown}"], each
            nearest = unknown.removesuffix("s")
            if nearest in each.queries:
                assert f"did you mean {nearest}?" in problem["detail"]


@pytest.mark.parametrize(
    ("query", "detail"), [("{0}=", "is empty"), ("{0}", "is empty"), ("{0}=1&{0}=1", "2 times")]
)
def test_no_query_parameter_is_empty_or_there_twice(
    http: httpx.Client, of_people: list[Operation], query: str, detail: str
) -> None:
    # The values of a list may be given one by one: an empty one is refused, too.
    may_repeat = "=1&" in query
    asked = [
        (each, name)
        for each in of_people
        for name in sorted(each.queries - (each.lists if may_repeat else set()))
    ]
    assert len(asked) > 30
    for each, name in asked:
        answer = http.request(each.method, f"{each.path}?{query.format(name)}")
        problem = problem_of(answer, 422, "invalid")
        assert pointers_of(problem) == [f"/{name}"], each
        assert detail in problem["detail"]


def test_an_agent_may_send_query_parameters_of_a_newer_version(
    http: httpx.Client, app: FastAPI
) -> None:
    agents = [each for each in operations(app) if each.is_of_agents]
    assert len(agents) >= 5
    for each in agents:
        answer = http.request(each.method, each.path, params={"qqq": "1"}, json={})
        assert answer.status_code in (204, 404, 422)
        assert "/qqq" not in answer.text


@pytest.mark.parametrize(
    ("call", "template"),
    [
        (TrainyardClient.jobs, "/jobs"),
        (TrainyardClient.checkpoints, "/checkpoints"),
        (TrainyardClient.latest_checkpoint, "/checkpoints/latest"),
        (TrainyardClient.best_checkpoint, "/checkpoints/best"),
        (TrainyardClient.audit, "/audit"),
    ],
)
def test_the_clients_filters_are_those_of_the_route_and_no_other(
    of_people: list[Operation], call: Callable[..., Any], template: str
) -> None:
    (queries,) = (e.queries for e in of_people if (e.method, e.template) == ("GET", template))
    filters = signature(call).parameters.keys() - {"self"}
    # The client pages by itself, has whole models, and parameters as a mapping.
    assert filters - {"params"} == queries - {"after", "limit", "fields"}


def test_only_the_query_parameters_that_a_route_does_not_have_are_refused(
    http: httpx.Client, of_people: list[Operation]
) -> None:
    for each in of_people:
        query = dict.fromkeys((*each.queries, "qqq"), "1")
        answer = http.request(each.method, each.path, params=query)
        assert pointers_of(problem_of(answer, 422, "invalid")) == ["/qqq"], each


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


@pytest.mark.parametrize("field", ["recipe", "params", "retention"])
def test_a_field_of_another_kind_of_job_is_refused_as_such(http: httpx.Client, field: str) -> None:
    body = {"kind": "check_data", "data": {"dataset": "digits"}, field: "oneshot"}
    errors = problem_of(http.post("/jobs", json=body), 422, "invalid")["errors"]
    details = {each["pointer"]: each["detail"] for each in errors}
    assert details[f"/{field}"] == "only another kind of job has this field; leave it out"
