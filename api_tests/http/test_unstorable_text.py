"""No text that UTF-8 or a database cannot hold is a mistake of the server, wherever it stands."""

import json
from typing import Any

import httpx
import pytest

from api_tests.support.fake_agent import KERNEL, FakeAgent

BAD = ["\ud800", "caf\udce9", "\0"]
TRAIN: dict[str, Any] = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
IMPORT: dict[str, Any] = {"file": "weights.pth"}
RECIPE: dict[str, Any] = {
    "name": "tiny",
    "title": "Tiny",
    "variants": ["one"],
    "parameters": {"type": "object", "properties": {}},
}


def sent(http: httpx.Client, method: str, path: str, body: Any) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return http.request(method, path, content=json.dumps(body), headers=headers)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        ("POST", "/jobs", TRAIN, ["name"]),
        ("POST", "/jobs", TRAIN, ["labels", "key"]),
        ("POST", "/jobs", TRAIN, ["params", "unknown"]),
        ("POST", "/jobs", TRAIN, ["data", "dataset"]),
        ("POST", "/jobs", TRAIN, ["resources", "labels", "key"]),
        ("POST", "/jobs", TRAIN, ["init_from", "id"]),
        ("POST", "/checkpoints/import", IMPORT, ["file"]),
        ("POST", "/checkpoints/import", IMPORT, ["class_names"]),
        ("POST", "/checkpoints/import", IMPORT, ["variant"]),
        ("POST", "/checkpoints/import", IMPORT, ["tags"]),
        ("POST", "/checkpoints/ckpt_none/export", {}, ["format"]),
        ("PATCH", "/checkpoints/ckpt_none", {}, ["tags"]),
        ("PATCH", "/jobs/{job}", {}, ["name"]),
        ("PATCH", "/jobs/{job}", {}, ["labels", "key"]),
        ("POST", "/jobs/{job}/retry", {}, ["from"]),
        ("POST", "/jobs/{job}/cancel", {}, ["mode"]),
        ("POST", "/agent/claims", {"worker_id": "w", "request_id": "r"}, ["request_id"]),
        ("PUT", "/agent/workers/w/catalog", {"recipes": [RECIPE]}, ["recipes", 0, "name"]),
        ("PUT", "/agent/workers/w/catalog", {"recipes": [RECIPE]}, ["kinds"]),
    ],
)
def test_a_text_of_a_user_that_cannot_be_stored_is_refused_as_a_problem(
    agent: FakeAgent, method: str, path: str, body: Any, pointer: list[Any], bad: str
) -> None:
    job = agent.submit()
    for changed in (_with(body, pointer, bad), _with(body, [*pointer[:-1], bad], "value")):
        answer = sent(agent.http, method, path.format(job=job["id"]), changed)
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"]


@pytest.mark.parametrize("bad", BAD)
def test_a_text_of_a_worker_that_cannot_be_stored_costs_nothing(agent: FakeAgent, bad: str) -> None:
    labels = {"agent": agent.id}
    registration = {"host": bad, "process": KERNEL, "version": bad, "labels": labels}
    assert sent(agent.http, "PUT", f"/agent/workers/{agent.id}", registration).is_success
    described = RECIPE | {"title": bad, "source": bad, "package": bad}
    catalog = {"recipes": [described], "kinds": ["train"]}
    other = "/agent/workers/wrk_of_unstorable_text"
    assert sent(agent.http, "PUT", other, registration | {"labels": {}}).is_success
    assert sent(agent.http, "PUT", f"{other}/catalog", catalog).is_success
    assert sent(agent.http, "POST", f"{other}/gone", {"message": bad}).is_success
    job = agent.submit()
    claim = agent.claim()
    held = {name: claim[name] for name in ("job_id", "attempt", "token")}
    body = {"message": bad, bad: bad, "metrics": {bad: 1.0}, "problems": [bad]}
    events = [
        {"seq": seq, "kind": kind, "at": "2026-01-01T00:00:00Z", "body": body}
        for seq, kind in enumerate(["note", "metrics", "damaged", "checkpoint", bad], 1)
    ]
    forged = held | {"token": bad}
    beats = [held | {"events": events, "purged": [bad]}, forged]
    heartbeat = sent(
        agent.http, "POST", "/agent/heartbeats", {"worker_id": agent.id, "beats": beats}
    )
    assert [reply["lease_lost"] for reply in heartbeat.json()["replies"]] == [False, True]
    assert heartbeat.json()["replies"][0]["acked_seq"] == 5
    report = held | {"outcome": "failed", "reason": "invalid_data", "message": bad}
    assert sent(agent.http, "POST", "/agent/reports", report | {"result": body}).is_success
    shown = agent.http.get(f"/jobs/{job['id']}").json()
    assert (shown["state"], shown["reason"]) == ("failed", "invalid_data")
    assert bad not in shown["message"]
    assert agent.http.get(f"/jobs/{job['id']}/events").is_success


def _with(body: Any, pointer: list[Any], value: Any) -> Any:
    name, *below = pointer
    if isinstance(name, int):
        return [_with(body[name], below, value)]
    inner = _with(body.get(name, {}), below, value) if below else value
    return body | {name: [inner] if name in ("tags", "kinds", "class_names") else inner}
