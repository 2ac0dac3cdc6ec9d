"""A worker tells what it can do; users find it in GET /recipes and GET /datasets."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api_tests.facts.published import SEARCH
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
    agent = FakeAgent(server)
    yield agent
    agent.http.post(f"/agent/workers/{agent.id}/gone", json={})
    agent.http.close()


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


BLOCKS = "21012020202300003233"
SIZE = "/recipes/oneshot/size"


def test_the_size_of_an_architecture_is_answered_with_its_variant(http: httpx.Client) -> None:
    facts = SEARCH["sizes"]["named"]["readme"]
    answer = http.get(SIZE, params={"blocks": facts["blocks"]})
    assert answer.json() == {
        "object": "architecture_size",
        "recipe": "oneshot",
        "variant": f"b{BLOCKS}",
        "blocks": BLOCKS,
        "channels": "4" * 20,
        "image_size": 224,
        "classes": 1000,
        "parameters": facts["params"],
        "multiply_adds": facts["macs"],
    }
    headers = {"If-None-Match": answer.headers["etag"]}
    assert http.get(SIZE, params={"blocks": BLOCKS}, headers=headers).status_code == 304


def test_the_size_is_of_the_widths_the_image_and_the_classes_that_are_asked_for(
    http: httpx.Client,
) -> None:
    facts = SEARCH["sizes"]["named"]["oneshot_searched"]
    query = {"blocks": facts["blocks"], "channels": facts["scale_ids"]}
    searched = http.get(SIZE, params=query).json()
    assert (searched["variant"], searched["multiply_adds"]) == ("searched", facts["macs"])
    small = http.get(SIZE, params={"blocks": "0" * 20, "image_size": 32, "classes": 10}).json()
    facts = SEARCH["sizes"]["at_32_pixels_10_classes"]
    places = sum(macs[0] for macs in facts["macs"])
    assert small["multiply_adds"] == facts["stem_macs"] + facts["tail_macs"] + places


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({}, "/query/blocks"),
        ({"blocks": "0" * 19}, "/blocks"),
        ({"blocks": "0" * 19 + "4"}, "/blocks"),
        ({"blocks": "x"}, "/query/blocks"),
        ({"blocks": BLOCKS, "channels": "4"}, "/channels"),
        ({"blocks": BLOCKS, "channels": "8" * 20}, "/channels"),
        ({"blocks": BLOCKS, "image_size": "225"}, "/query/image_size"),
        ({"blocks": BLOCKS, "classes": "0"}, "/query/classes"),
        ({"blocks": BLOCKS, "width": "4"}, "/width"),
    ],
)
def test_what_has_no_size_is_refused_at_its_parameter(
    http: httpx.Client, query: dict[str, str], pointer: str
) -> None:
    answer = http.get(SIZE, params=query)
    assert answer.status_code == 422
    assert pointers_of(answer.json()) == [pointer]


@pytest.mark.parametrize(
    ("recipe", "query", "variant", "multiply_adds"),
    [
        ("detnas", {"blocks": "21202112331300313132"}, "COCO_FPN_300M", 321_219_008),
        ("detnas", {"blocks": "0123" * 10}, f"b{'0123' * 10}", None),
        ("detnas", {"blocks": "0" * 20, "space": "300M.path"}, f"300M.path-b{'0' * 20}", None),
        (
            "shufflenet_v2_plus",
            {"blocks": "00311100202110202132", "space": "large"},
            "large",
            360_050_704,
        ),
    ],
)
def test_the_size_in_one_of_several_spaces_is_answered(
    http: httpx.Client, recipe: str, query: dict[str, str], variant: str, multiply_adds: int | None
) -> None:
    found = http.get(f"/recipes/{recipe}/size", params=query).json()
    assert (found["variant"], found["blocks"]) == (variant, query["blocks"])
    assert found["channels"] is None
    assert multiply_adds in (None, found["multiply_adds"])


@pytest.mark.parametrize(
    ("recipe", "query", "pointer"),
    [
        ("detnas", {"blocks": "0" * 21}, "/blocks"),
        ("detnas", {"blocks": "0" * 20, "space": "1.3G"}, "/blocks"),
        ("detnas", {"blocks": "0" * 20, "space": "none"}, "/space"),
        ("detnas", {"blocks": "0" * 20, "channels": "3" * 20}, "/channels"),
        ("shufflenet_v2_plus", {"blocks": "0" * 20}, "/space"),
        ("oneshot", {"blocks": "0" * 20, "space": "small"}, "/space"),
        ("oneshot", {"blocks": "0" * 20, "space": "a b"}, "/query/space"),
    ],
)
def test_what_is_in_none_of_several_spaces_is_refused_at_its_parameter(
    http: httpx.Client, recipe: str, query: dict[str, str], pointer: str
) -> None:
    answer = http.get(f"/recipes/{recipe}/size", params=query)
    assert answer.status_code == 422
    assert pointers_of(answer.json()) == [pointer]


def test_a_recipe_without_a_space_has_no_architectures(http: httpx.Client) -> None:
    answer = http.get("/recipes/shufflenet_v2/size", params={"blocks": BLOCKS})
    assert "named variants only" in problem_of(answer, 404, "no_search_space")["detail"]
    answer = http.get("/recipes/resnet/size", params={"blocks": BLOCKS})
    problem_of(answer, 404, "no_such_recipe")
    spaces = {name: each["search_space"] for name, each in recipes(http).items()}
    assert spaces["oneshot"]["stages"] == [[64, 4], [160, 4], [320, 8], [640, 4]]
    assert spaces["shufflenet_v2"] is None
    several = [space["name"] for space in recipes(http)["detnas"]["search_spaces"]]
    assert several == ["300M", "1.3G", "300M.path", "1.3G.path"]
