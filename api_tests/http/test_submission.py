"""`POST /jobs`: what is made of a submission, what is explained, and what is refused."""

import json
from typing import Any

import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.specs import UNCLAIMED
from service.api.requests import LIMIT_BYTES


def test_a_submission_is_created_where_location_says(http: httpx.Client) -> None:
    created = http.post("/jobs", json=UNCLAIMED | {"name": "first"})
    assert created.status_code == 201
    job = created.json()
    assert created.headers["location"] == f"/jobs/{job['id']}"
    assert (job["object"], job["state"], job["name"]) == ("job", "queued", "first")
    assert job["spec"]["params"]["learning_rate"] == 0.5
    again = http.get(created.headers["location"])
    assert again.json()["id"] == job["id"]
    unchanged = http.get(
        created.headers["location"], headers={"If-None-Match": again.headers["etag"]}
    )
    assert unchanged.status_code == 304
    assert created.headers["etag"].startswith('"1-')


def test_validation_alone_fills_in_the_defaults_and_stores_nothing(
    http: httpx.Client, agent: FakeAgent
) -> None:
    asked = {"validate_only": "true"}
    answer = http.post("/jobs", json=agent.spec(labels={"only": agent.id}), params=asked)
    assert answer.status_code == 200
    assert answer.json()["params"]["total_iters"] == 300_000
    assert http.get("/jobs", params={"label": f"only:{agent.id}"}).json()["data"] == []
    refused = http.post("/jobs", json=UNCLAIMED | {"data": {"dataset": "cats"}}, params=asked)
    problem_of(refused, 422, "no_such_dataset")


def test_an_explanation_has_hints_and_stores_nothing(http: httpx.Client, agent: FakeAgent) -> None:
    asked = {"validate_only": "true", "explain": "true"}
    body = agent.spec(labels={"only": agent.id}, params={"batch_size": 32})
    explanation = http.post("/jobs", json=body, params=asked).json()
    completed = http.post("/jobs", json=body, params={"validate_only": "true"}).json()
    assert explanation["spec"] == completed
    hints = {hint["pointer"]: hint["detail"] for hint in explanation["hints"]}
    assert hints["/params/learning_rate"].endswith("for 32 the linear rule gives 0.0156")
    assert hints["/params/total_iters"].startswith("an epoch has 44 steps")
    assert hints["/data/dataset"] == "360 images of 10 classes to validate on"
    assert http.get("/jobs", params={"label": f"only:{agent.id}"}).json()["data"] == []
    refused = http.post("/jobs", json=body | {"data": {"dataset": "cats"}}, params=asked)
    problem_of(refused, 422, "no_such_dataset")


def test_an_explanation_alone_submits_no_job_by_accident(
    http: httpx.Client, agent: FakeAgent
) -> None:
    body = agent.spec(labels={"only": agent.id})
    refused = http.post("/jobs", json=body, params={"explain": "true"})
    assert pointers_of(problem_of(refused, 422, "explain_alone")) == ["/explain"]
    assert http.get("/jobs", params={"label": f"only:{agent.id}"}).json()["data"] == []


def test_an_explanation_of_an_eval_says_whether_its_checkpoint_fits(
    http: httpx.Client, agent: FakeAgent
) -> None:
    agent.submit()
    claim = agent.claim()
    saved = agent.save(claim, 10)
    agent.report(claim)
    body = agent.spec(kind="eval", checkpoint={"id": saved}, params={})
    asked = {"validate_only": "true", "explain": "true"}
    hints = http.post("/jobs", json=body, params=asked).json()["hints"]
    fit = "it fits: step 10 of oneshot searched"
    assert [(hint["pointer"], hint["detail"]) for hint in hints] == [
        ("/data/dataset", "360 images of 10 classes to validate on"),
        ("/checkpoint", fit),
    ]


def test_images_that_a_worker_has_counted_are_known_until_its_job_is_deleted(
    http: httpx.Client, agent: FakeAgent
) -> None:
    data = {"train_dir": f"{agent.id}/train", "val_dir": f"{agent.id}/val"}
    body = agent.spec(data=data, params={"batch_size": 32})
    asked = {"validate_only": "true", "explain": "true"}

    def of_data() -> list[tuple[str, str]]:
        hints = http.post("/jobs", json=body, params=asked).json()["hints"]
        names = ("/data/train_dir", "/data/val_dir", "/params/batch_size")
        return [(hint["pointer"], hint["level"]) for hint in hints if hint["pointer"] in names]

    assert of_data() == []
    job = agent.submit(data=data)["id"]
    claim = agent.claim()
    splits = [
        {"name": "train", "images": 20, "classes": 2},
        {"name": "val", "images": 4, "classes": 2},
    ]
    agent.beat(claim, ("started", {"step": 0, "total_steps": 9, "splits": splits}))
    counted = [("/data/train_dir", "note"), ("/data/val_dir", "note")]
    assert of_data() == [*counted, ("/params/batch_size", "warning")]
    agent.report(claim, "failed", "invalid_data")
    assert http.delete(f"/jobs/{job}").status_code == 204
    assert of_data() == []


@pytest.mark.parametrize(
    ("fields", "pointer", "message"),
    [
        ({"kind": "dance"}, "/kind", "train"),
        ({"recipe": "resnet"}, "/recipe", "oneshot"),
        ({"recipe": ["oneshot"]}, "/recipe", "oneshot"),
        ({"recipe": {"a": 1}}, "/recipe", "oneshot"),
        ({"priority": 1001}, "/priority", "1000"),
        ({"colour": "red"}, "/colour", "not known"),
        ({"resources": {"gpu": 1}}, "/resources/gpu", "not known"),
        ({"resources": {"gpus": {"min": 0, "max": 2}}}, "/resources/gpus/min", "equal to 1"),
        ({"resources": {"gpus": {"min": 2}}}, "/resources/gpus/max", "required"),
        ({"resources": {"gpus": {"min": 1, "max": 2, "of": 3}}}, "/resources/gpus/of", "not known"),
        (
            {"resources": {"gpus": {"min": 8, "max": 2}}},
            "/resources/gpus",
            "min 8 is more than max 2: exchange them",
        ),
        (
            {"resources": {"gpus": {"min": 6, "max": 7}}, "params": {"batch_size": 100}},
            "/resources/gpus",
            "let the range have 5 or 10 in it",
        ),
        ({"resources": {"ranks": {"min": 1, "max": 2}}}, "/resources/ranks", "one number"),
        (
            {"resources": {"gpus": {"min": 1, "max": 2}, "ranks": 2}},
            "/resources",
            "leave out ranks 2",
        ),
        ({"params": {"learning_rat": 0.1}}, "/params/learning_rat", "not known"),
        ({"params": {"image_size": 33}}, "/params/image_size", "use 32 or 64"),
        ({"params": {"batch_size": 0}}, "/params/batch_size", "greater than"),
        ({"params": {"batch_size": 1438}}, "/params/batch_size", "at most 1437"),
        ({"params": {"num_classes": 7}}, "/params/num_classes", "10 classes"),
        ({"params": {"seed": 2**31}}, "/params/seed", "less than"),
        ({"params": {"save_interval": 2**70}}, "/params/save_interval", "less than"),
        ({"params": {"mean_image": "../x.npy"}}, "/params/mean_image", "below"),
        ({"data": {"dataset": "cats"}}, "/data/dataset", "there is digits"),
        (
            {"data": {"train_dir": "/etc", "val_dir": "v"}},
            "/data/train_dir",
            "below the worker's data",
        ),
        ({"data": {}}, "/data", "name either a dataset"),
        ({"labels": {"a:b": "c"}}, "/labels/a:b/[key]", "match"),
        ({"labels": {"a": "x" * 256}}, "/labels/a", "255"),
        ({"name": "a\0b"}, "/name", "U+0000"),
        ({"init_from": {"id": "ckpt_none"}}, "/init_from/id", "no checkpoint"),
        ({"init_from": {"file": "../../etc/passwd"}}, "/init_from/file", "below the import root"),
    ],
)
def test_a_wrong_field_is_named_with_what_to_change(
    http: httpx.Client, fields: dict[str, Any], pointer: str, message: str
) -> None:
    refused = http.post("/jobs", content=json.dumps(UNCLAIMED | fields), headers=JSON)
    assert refused.status_code == 422, refused.text
    problem = problem_of(refused, 422, refused.json()["code"])
    assert pointers_of(problem) == [pointer]
    assert message in problem["errors"][0]["detail"]


def test_every_wrong_field_is_named(http: httpx.Client) -> None:
    wrong = UNCLAIMED | {"priority": 5000, "max_failures": -1, "colour": 1}
    problem = problem_of(http.post("/jobs", json=wrong), 422, "invalid")
    assert sorted(pointers_of(problem)) == ["/colour", "/max_failures", "/priority"]


@pytest.mark.parametrize("body", ["{", "", "{'kind': 'train'}", '{"kind": "train",}'])
def test_a_body_that_is_no_json_is_refused(http: httpx.Client, body: str) -> None:
    refused = http.post("/jobs", content=body, headers=JSON)
    assert refused.status_code == 422
    assert "Traceback" not in refused.text
    problem_of(refused, 422, refused.json()["code"])


@pytest.mark.parametrize("body", ["[]", '"text"', "7", "null", "true"])
def test_a_body_that_is_no_object_is_refused(http: httpx.Client, body: str) -> None:
    problem_of(http.post("/jobs", content=body, headers=JSON), 422, "invalid")


def test_a_body_nested_beyond_reason_is_refused(http: httpx.Client) -> None:
    body = '{"name":' + "[" * 100_000 + "]" * 100_000 + "}"
    refused = http.post("/jobs", content=body, headers=JSON)
    assert 400 <= refused.status_code < 500
    problem_of(refused, refused.status_code, refused.json()["code"])


def test_a_body_that_says_it_is_too_large_is_refused(http: httpx.Client) -> None:
    refused = http.post("/jobs", content=b" " * (LIMIT_BYTES + 1), headers=JSON)
    assert str(LIMIT_BYTES) in problem_of(refused, 413, "too_large")["detail"]


def test_a_body_in_chunks_that_is_too_large_is_refused(http: httpx.Client) -> None:
    chunks = (b" " * 65_536 for _ in range(LIMIT_BYTES // 65_536 + 1))
    problem_of(http.post("/jobs", content=chunks, headers=JSON), 413, "too_large")


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_body_is_json_in_any_of_its_encodings(http: httpx.Client, encoding: str) -> None:
    body = json.dumps(UNCLAIMED | {"name": "café"}, ensure_ascii=False).encode(encoding)
    headers = {"Content-Type": "application/json"}
    answer = http.post("/jobs?validate_only=true", content=body, headers=headers)
    assert (answer.status_code, answer.json()["name"]) == (200, "café")
