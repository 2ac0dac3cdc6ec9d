"""What a job's actions say, sent as they say it."""

from typing import Any

import pytest

from api_tests.support.fake_agent import FakeAgent


@pytest.mark.parametrize("name", ["retry", "evaluate", "fine_tune", "export", "delete"])
def test_an_action_is_accepted_as_the_job_words_it(agent: FakeAgent, name: str) -> None:
    job = failed(agent)
    action = offered(job, name)
    assert set(action["needs"]) <= {"data"}
    body = action["body"] | {field: first for field, (first, *_) in action["choices"].items()}
    if action["needs"]:
        body |= {"data": {"dataset": "digits"}, "params": {"batch_size": 32}}
    answer = agent.http.request(action["method"], action["path"], json=body or None)
    assert answer.status_code in (201, 202, 204), answer.text
    if answer.content:
        # Else the agent of another test would claim it.
        agent.http.post(f"/jobs/{answer.json()['id']}/cancel").raise_for_status()


@pytest.mark.parametrize("name", ["train_longer", "evaluate", "fine_tune", "export"])
def test_an_action_is_accepted_as_a_checkpoint_words_it(agent: FakeAgent, name: str) -> None:
    path = f"/checkpoints/{failed(agent)['latest_checkpoint']}"
    action = offered(agent.http.get(path).json(), name)
    needed = {"data": {"dataset": "digits"}, "params": {"batch_size": 32, "total_iters": 11}}
    body = action["body"] | {field: first for field, (first, *_) in action["choices"].items()}
    if action["needs"]:
        body |= {"params": needed["params"]} | {field: needed[field] for field in action["needs"]}
    answer = agent.http.request(action["method"], action["path"], json=body)
    assert answer.status_code in (201, 202), answer.text
    agent.http.post(f"/jobs/{answer.json()['id']}/cancel").raise_for_status()


def test_nothing_may_be_made_of_a_checkpoint_that_is_going(agent: FakeAgent) -> None:
    path = f"/checkpoints/{failed(agent)['latest_checkpoint']}"
    pinned = agent.http.patch(path, json={"pinned": True}).json()
    assert pinned["actions"] == agent.http.get(path).json()["actions"] != []
    agent.http.patch(path, json={"pinned": False}).raise_for_status()
    agent.http.delete(path).raise_for_status()
    assert "actions" not in agent.http.get(path).json()


def test_final_weights_are_not_trained_longer(agent: FakeAgent) -> None:
    agent.submit()
    claim = agent.claim()
    final = agent.save(claim, 10, phase="final")
    agent.report(claim)
    shown = agent.http.get(f"/checkpoints/{final}").json()
    assert [action["name"] for action in shown["actions"]] == ["evaluate", "fine_tune", "export"]


def test_a_list_shows_the_same_actions_as_a_job_alone(agent: FakeAgent) -> None:
    job = failed(agent)
    listed = agent.http.get("/jobs", params={"limit": 1}).json()["data"]
    assert [each["actions"] for each in listed if each["id"] == job["id"]] == [job["actions"]]


def test_the_etag_changes_when_a_retry_from_latest_is_gone(agent: FakeAgent) -> None:
    job = failed(agent)
    path = f"/jobs/{job['id']}"
    etag = agent.http.get(path).headers["etag"]
    assert offered(job, "retry")["choices"] == {"from": ["latest", "start"]}
    agent.http.delete(f"/checkpoints/{job['latest_checkpoint']}").raise_for_status()
    again = agent.http.get(path, headers={"If-None-Match": etag})
    assert again.status_code == 200
    assert offered(again.json(), "retry")["choices"] == {"from": ["start"]}


def failed(agent: FakeAgent) -> dict[str, Any]:
    """A training that has failed with one training state."""
    path = f"/jobs/{agent.submit()['id']}"
    claim = agent.claim()
    agent.save(claim, 10)
    agent.report(claim, "failed", "invalid_data")
    job: dict[str, Any] = agent.http.get(path).json()
    return job


def offered(job: dict[str, Any], name: str) -> dict[str, Any]:
    (action,) = (action for action in job["actions"] if action["name"] == name)
    found: dict[str, Any] = action
    return found


def test_an_ended_job_is_read_again_when_a_checkpoint_of_another_is_gone(agent: FakeAgent) -> None:
    agent.submit()
    trained = agent.claim()
    source = agent.save(trained, 10)
    agent.report(trained)
    made = agent.submit(init_from={"id": source, "state": "full"})["id"]
    agent.report(agent.claim(), "failed", "invalid_data")
    before = agent.http.get(f"/jobs/{made}")
    same = {"If-None-Match": before.headers["ETag"]}
    assert agent.http.get(f"/jobs/{made}", headers=same).status_code == 304
    assert "retry" in {action["name"] for action in before.json()["actions"]}
    assert agent.http.delete(f"/jobs/{trained['job_id']}").status_code == 204
    after = agent.http.get(f"/jobs/{made}", headers=same)
    assert after.status_code == 200
    assert "retry" not in {action["name"] for action in after.json()["actions"]}
    assert after.json()["version"] == before.json()["version"]
