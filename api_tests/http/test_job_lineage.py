"""Where a job comes from, and which jobs came of it."""

from typing import Any

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of


def _lineage(agent: FakeAgent, job_id: str) -> dict[str, Any]:
    answer = agent.http.get(f"/jobs/{job_id}/lineage")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _ids(jobs: list[dict[str, Any]]) -> list[str]:
    return [job["id"] for job in jobs]


def test_a_job_names_its_parent_its_source_and_what_came_of_it(agent: FakeAgent) -> None:
    trained = agent.submit(name="first run")["id"]
    claim = agent.claim()
    checkpoint = agent.save(claim, 7)
    agent.report(claim, outcome="failed", reason="invalid_data", message="a.png is no image")
    evaluation = agent.submit(kind="eval", checkpoint={"id": checkpoint}, params={})["id"]
    claim = agent.claim()
    found = {"top1_error": 0.25, "loss": 1.5, "note": "text", "files": {}}
    agent.report(claim, outcome="succeeded", reason="finished", result=found)
    retry = agent.http.post(f"/jobs/{trained}/retry", json={"from": "start"}).json()["id"]
    stranger = agent.submit()["id"]

    lineage = _lineage(agent, trained)
    assert (lineage["parent"], lineage["source"], lineage["has_more"]) == (None, None, False)
    assert _ids(lineage["descendants"]) == [retry, evaluation]
    assert lineage["descendants"][0]["parent_job_id"] == trained
    shown = lineage["descendants"][1]
    assert (shown["kind"], shown["state"], shown["source_checkpoint"]) == (
        "eval", "succeeded", checkpoint,
    )  # fmt: skip
    assert shown["metrics"] == {"top1_error": 0.25, "loss": 1.5}

    source = _lineage(agent, evaluation)["source"]
    assert (source["id"], source["step"], source["job_id"]) == (checkpoint, 7, trained)
    assert source["job"]["name"] == "first run"
    assert _lineage(agent, retry)["parent"]["id"] == trained
    assert _lineage(agent, stranger) == {
        "object": "job_lineage", "job_id": stranger, "kind": "train", "parent": None,
        "source": None, "descendants": [], "has_more": False,
    }  # fmt: skip


def test_a_parent_that_was_deleted_is_said_to_be_gone(agent: FakeAgent) -> None:
    parent = agent.submit()["id"]
    agent.http.post(f"/jobs/{parent}/cancel", json={})
    retry = agent.http.post(f"/jobs/{parent}/retry", json={"from": "start"}).json()["id"]
    assert agent.http.delete(f"/jobs/{parent}").status_code == 204
    assert _lineage(agent, retry)["parent"] is None
    assert agent.http.get(f"/jobs/{retry}").json()["parent_job_id"] == parent
    problem_of(agent.http.get(f"/jobs/{parent}/lineage"), 404, "no_such_job")


def test_of_very_many_descendants_the_newest_are_shown(agent: FakeAgent) -> None:
    parent = agent.submit()["id"]
    agent.http.post(f"/jobs/{parent}/cancel", json={})
    retries = [
        agent.http.post(f"/jobs/{parent}/retry", json={"from": "start"}).json()["id"]
        for _ in range(101)
    ]
    lineage = _lineage(agent, parent)
    assert _ids(lineage["descendants"]) == retries[:0:-1]
    assert lineage["has_more"]
