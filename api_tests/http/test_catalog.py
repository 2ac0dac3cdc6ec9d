"""A worker tells what it can do; users find it in GET /recipes and GET /datasets."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api_tests.support.catalogs import PLANTS, a_catalog, a_recipe
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.server import Server
from service.contract.catalog import Catalog, builtin_catalog


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One of its own: what a worker has would be seen by the tests of others."""
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture
def agent(server: Server) -> Iterator[FakeAgent]:
    """A worker that is gone after the test, with all it had."""
    with FakeAgent(server) as agent:
        yield agent
        agent.http.post(f"/agent/workers/{agent.id}/gone", json={})


def put_catalog(agent: FakeAgent, catalog: Catalog) -> httpx.Response:
    body = catalog.model_dump(mode="json")
    return agent.http.put(f"/agent/workers/{agent.id}/catalog", json=body)


def recipes(http: httpx.Client) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in http.get("/recipes").json()["data"]}


def test_a_recipe_is_there_as_long_as_its_worker(http: httpx.Client, agent: FakeAgent) -> None:
    assert put_catalog(agent, a_catalog(a_recipe(), datasets=(PLANTS,))).status_code == 204
    listed = recipes(http)
    assert list(listed) == [*(each.name for each in builtin_catalog().recipes), "mobilenet_v3"]
    shown = listed["mobilenet_v3"]
    assert (shown["package"], shown["workers"], shown["variants"]) == ("plants", 1, ["small"])
    assert shown["defaults"] == {"total_iters": 100, "batch_size": 32}
    assert shown["digest"] == a_recipe().digest
    assert shown["schema"] == a_recipe().parameters
    assert http.get("/recipes/mobilenet_v3").json() == shown
    assert [each["name"] for each in http.get("/datasets").json()["data"]] == ["digits", "plants"]
    agent.http.post(f"/agent/workers/{agent.id}/gone", json={}).raise_for_status()
    problem_of(http.get("/recipes/mobilenet_v3"), 404, "no_such_recipe")
    assert list(recipes(http)) == [each.name for each in builtin_catalog().recipes]


def test_a_worker_that_sent_no_catalog_counts_as_one_with_the_built_in_recipes(
    http: httpx.Client, agent: FakeAgent
) -> None:
    oneshot = recipes(http)["oneshot"]
    assert oneshot["workers"] == 1
    assert oneshot["digest"] == builtin_catalog().recipes[0].digest
    assert oneshot["package"] == "trainyard-service"
    agent.http.post(f"/agent/workers/{agent.id}/gone", json={})
    assert recipes(http)["oneshot"]["workers"] == 0


def test_a_recipe_that_nobody_has_is_answered_with_the_nearest(
    http: httpx.Client, agent: FakeAgent
) -> None:
    put_catalog(agent, a_catalog(a_recipe()))
    problem = problem_of(http.get("/recipes/mobilenet_v2"), 404, "no_such_recipe")
    assert problem["detail"].endswith("did you mean mobilenet_v3?")


def test_a_worker_that_is_not_registered_must_register_first(
    http: httpx.Client, agent: FakeAgent
) -> None:
    body = builtin_catalog().model_dump(mode="json")
    for worker in ("wrk_none", agent.id):
        agent.http.post(f"/agent/workers/{agent.id}/gone", json={})
        answer = http.put(f"/agent/workers/{worker}/catalog", json=body)
        assert "must register" in problem_of(answer, 404, "unknown_worker")["detail"]


def test_a_catalog_may_be_sent_twice_and_by_several_workers(
    http: httpx.Client, server: Server, agent: FakeAgent
) -> None:
    other = FakeAgent(server)
    for each in (agent, agent, other):
        assert put_catalog(each, a_catalog(a_recipe())).status_code == 204
    assert recipes(http)["mobilenet_v3"]["workers"] == 2
    other.http.post(f"/agent/workers/{other.id}/gone", json={})
    other.http.close()


def test_a_catalog_of_a_newer_worker_is_read_as_far_as_it_is_understood(
    http: httpx.Client, agent: FakeAgent
) -> None:
    body = a_catalog(a_recipe()).model_dump(mode="json")
    body["launchers"] = ["cloud"]
    body["recipes"][-1]["colour"] = "green"
    path = f"/agent/workers/{agent.id}/catalog"
    assert agent.http.put(path, json=body).status_code == 204
    assert recipes(http)["mobilenet_v3"]["digest"] == a_recipe().digest


def test_a_catalog_with_a_schema_that_cannot_be_used_is_refused_and_changes_nothing(
    http: httpx.Client, agent: FakeAgent
) -> None:
    wrong = a_recipe(depth={"type": "integer", "default": "deep"})
    answer = put_catalog(agent, a_catalog(wrong))
    problem = problem_of(answer, 422, "invalid")
    assert pointers_of(problem) == [f"/recipes/{len(builtin_catalog().recipes)}/parameters"]
    assert "the default of depth is not valid" in problem["detail"]
    assert "mobilenet_v3" not in recipes(http)


def nested(depth: int) -> Any:
    return {"a": nested(depth - 1)} if depth else 1


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ({"default": nested(300)}, "nested more than 64 levels deep"),
        ({"type": "number", "maximum": float("inf")}, "must be a finite number"),
        ({"multipleOf": 10**400}, "must be a finite number"),
        ({"default": float("nan")}, "must be a finite number"),
        ({"description": "\ud800"}, "half of a surrogate pair"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_schema_that_would_not_be_read_again_as_it_came_is_refused(
    http: httpx.Client, agent: FakeAgent, parameter: Any, reason: str
) -> None:
    body = a_catalog(a_recipe()).model_dump(mode="json")
    body["recipes"][-1]["parameters"]["properties"]["depth"] = parameter
    answer = agent.http.put(
        f"/agent/workers/{agent.id}/catalog",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert reason in problem_of(answer, 422, "invalid")["detail"]
    assert "mobilenet_v3" not in recipes(http)


def test_a_submission_is_checked_by_the_schema_of_an_installed_recipe(
    http: httpx.Client, agent: FakeAgent
) -> None:
    put_catalog(agent, a_catalog(a_recipe(depth={"type": "integer", "maximum": 9, "default": 3})))
    spec = agent.spec(recipe="mobilenet_v3", params={"batch_size": 8})
    made = http.post("/jobs", json=spec)
    assert made.status_code == 201, made.text
    params = {"total_iters": 100, "batch_size": 8, "depth": 3}
    assert made.json()["spec"]["params"] == params
    assert made.json()["variant"] == "small"
    assert agent.claim()["spec"]["params"] == params
    refused = http.post("/jobs", json=spec | {"params": {"depth": 10}})
    problem = problem_of(refused, 422, "invalid")
    assert pointers_of(problem) == ["/params/depth"]
    assert "depth must be less than or equal to 9: 10 is not; use 9 or less" in problem["detail"]
