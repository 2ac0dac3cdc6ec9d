import json
import re
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from fastapi import FastAPI

from api_tests.support.problems import problem_of
from api_tests.support.routes import operations
from api_tests.support.runs import Run
from api_tests.support.server import Server
from service.contract.catalog import builtin_catalog

ROUTES = {
    ("get", "/jobs"),
    ("post", "/jobs"),
    ("get", "/jobs/{job_id}"),
    ("post", "/jobs/{job_id}/cancel"),
    ("get", "/jobs/{job_id}/attempts"),
    ("get", "/jobs/{job_id}/events"),
    ("get", "/jobs/{job_id}/checkpoints"),
    ("get", "/jobs/{job_id}/metrics"),
    ("get", "/jobs/{job_id}/logs"),
    ("get", "/checkpoints"),
    ("get", "/checkpoints/latest"),
    ("get", "/checkpoints/{checkpoint_id}"),
    ("get", "/checkpoints/{checkpoint_id}/files/{name}"),
    ("get", "/workers"),
    ("put", "/agent/workers/{worker_id}"),
    ("post", "/agent/workers/{worker_id}/gone"),
    ("post", "/agent/claims"),
    ("post", "/agent/heartbeats"),
    ("post", "/agent/reports"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/version"),
    ("get", "/session"),
    ("post", "/session"),
    ("delete", "/session"),
    ("get", "/recipes"),
    ("get", "/datasets"),
}


def test_the_server_is_healthy_ready_and_has_a_version(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ready"}
    version = http.get("/version").json()
    assert re.match(r"\d+\.\d+\.\d+", version["version"])
    assert f'src="dashboard/{version["page"]}/main.js"' in http.get("/").text


def test_a_server_without_its_volume_is_not_ready(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = Server(tmp_path_factory.mktemp("server"))
    server.volume.rename(server.folder / "away")
    answer = server.http.get("/readyz")
    assert "volume" in problem_of(answer, 503, "not_ready")["detail"]
    assert answer.headers["retry-after"] == "2"
    assert server.http.get("/healthz").status_code == 200
    (server.folder / "away").rename(server.volume)
    assert server.http.get("/readyz").status_code == 200
    server.stop()


def test_recipes_come_with_variants_defaults_and_a_schema(http: httpx.Client) -> None:
    answer = http.get("/recipes")
    recipes = {each["name"]: each for each in answer.json()["data"]}
    assert set(recipes) == {each.name for each in builtin_catalog().recipes}
    large = recipes["shufflenet_v2_large"]
    assert (large["variants"], large["defaults"]["batch_size"]) == (["large"], 256)
    assert large["schema"]["properties"]["image_size"]["minimum"] == 32
    headers = {"If-None-Match": answer.headers["etag"]}
    assert http.get("/recipes", headers=headers).status_code == 304


def test_datasets_come_with_their_size_and_licence(http: httpx.Client) -> None:
    answer = http.get("/datasets")
    (digits,) = answer.json()["data"]
    assert (digits["name"], digits["train_images"], digits["val_images"]) == ("digits", 1437, 360)
    assert digits["licence"] == "CC BY 4.0"
    headers = {"If-None-Match": answer.headers["etag"]}
    assert http.get("/datasets", headers=headers).status_code == 304


def test_workers_are_a_list_that_is_304_until_it_changes(http: httpx.Client) -> None:
    answer = http.get("/workers")
    assert answer.json()["object"] == "list"
    headers = {"If-None-Match": answer.headers["etag"]}
    assert http.get("/workers", headers=headers).status_code in (200, 304)


def test_openapi_lists_every_route_and_every_reference_leads_somewhere(
    http: httpx.Client,
) -> None:
    document = http.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    listed = {(verb, path) for path, verbs in document["paths"].items() for verb in verbs}
    assert listed >= ROUTES
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))
    assert references
    for reference in references:
        assert at(document, reference), reference
    for verbs in document["paths"].values():
        for operation in verbs.values():
            assert operation["responses"]


def test_operations_have_names_of_their_own(http: httpx.Client) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    names = [each["operationId"] for verbs in paths.values() for each in verbs.values()]
    assert len(names) == len(set(names))


def test_the_documentation_loads_files_of_this_server_alone(http: httpx.Client) -> None:
    page = http.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 4
    for path in loaded:
        assert not path.startswith(("/", "http:", "https:", "//")), "a prefix would be lost"
        assert http.get(f"/{path}").status_code == 200, path
    assert 'url: "openapi.json"' in http.get("/docs/start.js").text


def test_the_dashboard_and_every_module_it_loads_are_served(http: httpx.Client) -> None:
    page = http.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-cache"
    loaded, left = set(), {"/dashboard/main.js"}
    while left:
        path = left.pop()
        answer = http.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith("text/javascript"), path
        assert answer.headers["cache-control"] == "no-cache", path
        loaded.add(path)
        imported = re.findall(r'from "(\.[^"]+\.js)"', answer.text)
        left |= {urljoin(path, name) for name in imported} - loaded
    assert len(loaded) > 10


@pytest.mark.parametrize(
    "path", ["/nothing", "/dashboard/nothing.js", "/jobs/a/b/c", "/agent", "/docs/x"]
)
def test_a_path_that_is_not_there_is_not_found(http: httpx.Client, path: str) -> None:
    problem_of(http.get(path), 404, "no_such_path")


def test_no_file_beside_the_dashboard_is_served(server: Server) -> None:
    for path in ("..%2fmain.py", "%2e%2e/main.py", "....//main.py"):
        answer = httpx.get(f"{server.url}/dashboard/{path}")
        assert answer.status_code == 404, path


def test_what_has_get_has_head_with_the_same_headers_and_no_body(
    http: httpx.Client, app: FastAPI, run: Run
) -> None:
    ids = {"job_id": run.job_id, "checkpoint_id": run.id_of(3), "name": "model.safetensors"}
    gets = [each for each in operations(app) if each.method == "GET"]
    assert len(gets) > 30
    for each in gets:
        path = (
            each.template.format(**ids) if each.template.startswith(("/jo", "/ch")) else each.path
        )
        if path.endswith("/stream"):
            with http.stream("GET", path) as response:
                got = response
        else:
            got = http.get(path)
        head = http.head(path)
        assert head.status_code == got.status_code, path
        assert head.content == b""
        # What /metrics answers has the request before it counted.
        same = ("content-type", "etag", *(() if path == "/metrics" else ("content-length",)))
        for header in same:
            assert head.headers.get(header) == got.headers.get(header), (path, header)


@pytest.mark.parametrize(
    "path", ["/jobs", "/workers", "/healthz", "/jobs/x", "/docs", "/jobs/x/retry"]
)
def test_a_verb_that_a_path_does_not_have_is_refused_with_those_it_has(
    http: httpx.Client, app: FastAPI, path: str
) -> None:
    pattern = {"/jobs/x": "/jobs/{job_id}", "/jobs/x/retry": "/jobs/{job_id}/retry"}
    methods = {e.method for e in operations(app) if e.template == pattern.get(path, path)}
    expected = methods | ({"HEAD"} if "GET" in methods else set())
    for verb in {"DELETE", "GET", "PATCH", "POST", "PUT", "OPTIONS", "TRACE"} - expected:
        answer = http.request(verb, path)
        problem_of(answer, 405, "method_not_allowed")
        assert set(answer.headers["allow"].split(", ")) == expected


def test_a_request_id_is_given_back_or_made(http: httpx.Client) -> None:
    mine = http.get("/healthz", headers={"X-Request-ID": "mine-7"})
    assert mine.headers["x-request-id"] == "mine-7"
    refused = http.get("/jobs/none", headers={"X-Request-ID": "mine-8"})
    assert problem_of(refused, 404, "no_such_job")["request_id"] == "mine-8"
    made = [http.get("/healthz").headers["x-request-id"] for _ in range(2)]
    assert made[0] != made[1]
    long = http.get("/healthz", headers={"X-Request-ID": "x" * 65})
    assert long.headers["x-request-id"].startswith("req_")


def at(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for part in reference.split("/"):
        found = found[part]
    return found
