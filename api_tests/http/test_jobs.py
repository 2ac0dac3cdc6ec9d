from typing import Any

import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import pointers_of, problem_of

PARTS = ("", "/attempts", "/events", "/checkpoints", "/metrics", "/logs")


@pytest.mark.parametrize("part", PARTS)
def test_a_job_that_is_not_there_is_not_found(http: httpx.Client, part: str) -> None:
    problem = problem_of(http.get(f"/jobs/job_none{part}"), 404, "no_such_job")
    assert "job_none" in problem["detail"]


@pytest.mark.parametrize("name", ["%00", "..%2f..%2fetc", "job_%F0%9F%9A%82", "x" * 500])
def test_a_strange_id_is_not_found(http: httpx.Client, name: str) -> None:
    answer = http.get(f"/jobs/{name}")
    assert answer.status_code in (404, 422)
    problem_of(answer, answer.status_code, answer.json()["code"])


def test_a_job_is_304_until_it_changes(agent: FakeAgent) -> None:
    path = f"/jobs/{agent.submit()['id']}"
    claim = agent.claim()
    etag = agent.http.get(path).headers["etag"]
    unchanged = agent.http.get(path, headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == etag
    agent.beat(claim, ("progress", {"step": 1, "total_steps": 9, "phase": "train"}))
    changed = agent.http.get(path, headers={"If-None-Match": f'"other", {etag}'})
    assert changed.status_code == 200
    assert changed.json()["progress"]["step"] == 1


def test_a_queued_job_is_read_anew_when_its_place_changes(agent: FakeAgent) -> None:
    first, second = agent.submit(), agent.submit()
    path = f"/jobs/{second['id']}"
    before = agent.http.get(path)
    agent.http.post(f"/jobs/{first['id']}/cancel")
    after = agent.http.get(path, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.json()["queue_position"] < before.json()["queue_position"]
    assert after.json()["version"] == before.json()["version"]


def test_a_list_is_newest_first_in_pages_without_gap_or_repeat(agent: FakeAgent) -> None:
    label = {"label": f"list:{agent.id}"}
    made = [agent.submit(labels={"list": agent.id})["id"] for _ in range(5)]
    seen: list[str] = []
    query = label | {"limit": "2"}
    while True:
        page = agent.http.get("/jobs", params=query).json()
        assert page["object"] == "list"
        seen += [job["id"] for job in page["data"]]
        agent.submit(labels={"list": agent.id})
        if not page["has_more"]:
            assert page["next"] is None
            break
        assert page["next"] == seen[-1]
        query["after"] = page["next"]
    assert seen == made[::-1]


def test_a_list_is_304_until_a_job_in_it_changes(agent: FakeAgent) -> None:
    job = agent.submit(labels={"list": agent.id})
    query = {"label": f"list:{agent.id}"}
    etag = agent.http.get("/jobs", params=query).headers["etag"]
    headers = {"If-None-Match": etag}
    assert agent.http.get("/jobs", params=query, headers=headers).status_code == 304
    agent.http.post(f"/jobs/{job['id']}/cancel")
    assert agent.http.get("/jobs", params=query, headers=headers).status_code == 200


def test_a_list_can_be_narrowed(agent: FakeAgent) -> None:
    label = {"list": agent.id}
    agent.submit(labels=label)
    other = agent.submit(labels=label, recipe="shufflenet_v2", variant="1.0x")
    agent.http.post(f"/jobs/{other['id']}/cancel")

    def found(**query: str) -> int:
        answer = agent.http.get("/jobs", params=query | {"label": f"list:{agent.id}"})
        return len(answer.json()["data"])

    assert (found(), found(state="queued"), found(state="cancelled")) == (2, 1, 1)
    assert (found(recipe="shufflenet_v2"), found(kind="train"), found(kind="eval")) == (1, 2, 0)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"state": "dancing"}, "/query/state"),
        ({"kind": "dance"}, "/query/kind"),
        ({"limit": "0"}, "/query/limit"),
        ({"limit": "1001"}, "/query/limit"),
        ({"label": "team"}, "/query/label"),
        ({"label": ":x"}, "/query/label"),
        ({"label": 'a"b:x'}, "/query/label"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(
    http: httpx.Client, query: dict[str, str], pointer: str
) -> None:
    problem = problem_of(http.get("/jobs", params=query), 422, "invalid")
    assert pointers_of(problem) == [pointer]


def test_a_queued_job_is_cancelled_and_a_second_cancel_says_the_same(agent: FakeAgent) -> None:
    path = f"/jobs/{agent.submit()['id']}/cancel"
    first = agent.http.post(path, json={"mode": "graceful"})
    again = agent.http.post(path)
    assert (first.status_code, first.json()["state"]) == (202, "cancelled")
    assert (again.status_code, again.json()["state"]) == (200, "cancelled")


def test_a_running_job_hears_of_its_cancel_with_the_next_beat(agent: FakeAgent) -> None:
    job = agent.submit()
    claim = agent.claim()
    asked = agent.http.post(f"/jobs/{job['id']}/cancel", json={"mode": "now"})
    assert (asked.status_code, asked.json()["state"]) == (202, "cancelling")
    assert agent.beat(claim)["directive"] == "stop"


def test_a_finished_job_cannot_be_cancelled(agent: FakeAgent) -> None:
    job = agent.submit()
    agent.report(agent.claim())
    refused = agent.http.post(f"/jobs/{job['id']}/cancel")
    assert "succeeded" in problem_of(refused, 409, "job_ended")["detail"]


@pytest.mark.parametrize("body", [{"mode": "gently"}, {"force": True}])
def test_a_cancel_that_cannot_be_meant_changes_nothing(
    agent: FakeAgent, body: dict[str, Any]
) -> None:
    path = f"/jobs/{agent.submit()['id']}"
    problem_of(agent.http.post(f"{path}/cancel", json=body), 422, "invalid")
    assert agent.http.get(path).json()["state"] == "queued"


def test_a_cancel_of_no_job_is_not_found(http: httpx.Client) -> None:
    problem_of(http.post("/jobs/job_none/cancel"), 404, "no_such_job")


def test_attempts_are_listed_oldest_first_with_their_ends(agent: FakeAgent) -> None:
    job = agent.submit()
    agent.report(agent.claim(), "released", "released")
    agent.claim()
    listed = agent.http.get(f"/jobs/{job['id']}/attempts")
    states = [(attempt["number"], attempt["state"]) for attempt in listed.json()["data"]]
    assert states == [(1, "released"), (2, "running")]
    headers = {"If-None-Match": listed.headers["etag"]}
    assert agent.http.get(f"/jobs/{job['id']}/attempts", headers=headers).status_code == 304
    assert "token" not in listed.text


def test_events_are_read_on_from_the_last(agent: FakeAgent) -> None:
    job = agent.submit()
    claim = agent.claim()
    agent.beat(claim, *[("note", {"message": str(number)}) for number in range(5)])
    path, after, seen = f"/jobs/{job['id']}/events", "0", []
    while True:
        page = agent.http.get(path, params={"after": after, "limit": 2}).json()
        seen += [event["message"] for event in page["data"] if event["kind"] == "note"]
        if not page["has_more"]:
            break
        after = page["next"]
    assert seen == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("after", ["nosuch", "ckpt_1", "zzz", "job_"])
def test_jobs_after_what_is_no_job_are_refused(http: httpx.Client, after: str) -> None:
    problem = problem_of(http.get("/jobs", params={"after": after}), 422, "invalid")
    assert "must be the id of a job" in problem["detail"]


def test_a_page_begins_after_a_job_that_was_deleted_since(agent: FakeAgent) -> None:
    labels = {"series": agent.id}
    first, middle, last = (agent.submit(labels=labels)["id"] for _ in range(3))
    agent.http.post(f"/jobs/{middle}/cancel").raise_for_status()
    agent.http.delete(f"/jobs/{middle}").raise_for_status()
    query = {"label": f"series:{agent.id}", "after": middle}
    assert [job["id"] for job in agent.http.get("/jobs", params=query).json()["data"]] == [first]
    assert last > middle


@pytest.mark.parametrize("after", ["-1", "many", str(2**70)])
def test_events_after_no_number_are_refused(agent: FakeAgent, after: str) -> None:
    job = agent.submit()
    refused = agent.http.get(f"/jobs/{job['id']}/events", params={"after": after})
    assert pointers_of(problem_of(refused, 422, "invalid")) == ["/query/after"]


def test_a_chart_is_answered_304_until_the_job_measures_more(agent: FakeAgent) -> None:
    job, claim = agent.submit(), agent.claim()
    agent.beat(claim, ("metrics", {"step": 1, "metrics": {"loss": 1.0}}))
    path, query = f"/jobs/{job['id']}/metrics", {"max_points": 10}
    first = agent.http.get(path, params=query)
    seen = {"If-None-Match": first.headers["etag"]}
    assert agent.http.get(path, params=query, headers=seen).status_code == 304
    assert agent.http.get(path, params=query | {"since_step": 1}, headers=seen).status_code == 200
    agent.beat(claim, ("metrics", {"step": 1, "metrics": {"loss": 0.5}}))
    again = agent.http.get(path, params=query, headers=seen)
    assert (again.status_code, again.json()["series"]["loss"]) == (200, [[1, 0.5]])


def test_metrics_are_thinned_and_narrowed(agent: FakeAgent) -> None:
    job = agent.submit()
    claim = agent.claim()
    measured = [
        ("metrics", {"step": step, "metrics": {"loss": 1.0, "lr": 0.1}}) for step in range(50)
    ]
    agent.beat(claim, *measured)
    path = f"/jobs/{job['id']}/metrics"
    body = agent.http.get(path).json()
    assert body["object"] == "metrics"
    assert len(body["series"]["loss"]) == 50
    asked = {"names": "loss", "since_step": 10, "max_points": 5}
    answer = agent.http.get(path, params=asked)
    series = answer.json()["series"]
    assert list(series) == ["loss"]
    assert (series["loss"][0], series["loss"][-1]) == ([10, 1.0], [49, 1.0])
    assert len(series["loss"]) <= 5
    headers = {"If-None-Match": answer.headers["etag"]}
    assert agent.http.get(path, params=asked, headers=headers).status_code == 304


@pytest.mark.parametrize("query", [{"max_points": "1"}, {"since_step": str(2**70)}])
def test_metrics_that_cannot_be_meant_are_refused(agent: FakeAgent, query: dict[str, str]) -> None:
    job = agent.submit()
    problem_of(agent.http.get(f"/jobs/{job['id']}/metrics", params=query), 422, "invalid")
