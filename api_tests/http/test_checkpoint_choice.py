"""Which checkpoint is meant: sorted, best, tagged, over REST."""

from typing import Any

import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.runs import Run
from api_tests.support.server import Server
from service.contract.catalog import builtin_catalog


@pytest.mark.parametrize(
    ("order", "steps"),
    [
        ("-step", [3, 2, 1]),
        ("step", [1, 2, 3]),
        ("metrics.top1_error", [2, 3, 1]),
        ("-metrics.top1_error", [1, 3, 2]),
        ("metrics.loss", []),
    ],
)
def test_a_list_is_sorted_as_asked_over_all_its_pages(
    run: Run, order: str, steps: list[int]
) -> None:
    assert run.steps(order_by=order) == steps


def test_an_order_that_is_none_is_refused_with_those_there_are(http: httpx.Client) -> None:
    answer = http.get("/checkpoints", params={"order_by": "metrics.beauty"})
    problem = problem_of(answer, 422, "invalid")
    assert "metrics.top1_error" in str(problem)


def test_the_best_is_the_lowest_or_the_highest_of_a_metric(run: Run) -> None:
    query = {"job": run.job_id}
    best = run.http.get("/checkpoints/best", params=query)
    assert best.json()["step"] == 2
    highest = run.http.get("/checkpoints/best", params=query | {"mode": "max"})
    assert highest.json()["step"] == 1
    headers = {"If-None-Match": best.headers["etag"]}
    assert run.http.get("/checkpoints/best", params=query, headers=headers).status_code == 304
    unmeasured = run.http.get("/checkpoints/best", params=query | {"metric": "loss"})
    problem_of(unmeasured, 404, "no_checkpoint")


def test_tags_are_set_once_each_and_narrow_a_list(run: Run) -> None:
    path = f"/checkpoints/{run.id_of(1)}"
    changed = run.http.patch(path, json={"tags": ["paper", "baseline", "paper"]}).json()
    assert (changed["tags"], changed["pinned"]) == (["baseline", "paper"], False)
    assert run.steps(tag="paper") == [1]
    assert run.http.patch(path, json={"tags": ["other"]}).json()["tags"] == ["other"]
    assert run.steps(tag="paper") == []


@pytest.mark.parametrize(
    "tags", [["no space"], [""], ["x" * 64], "paper", [f"t{n}" for n in range(65)]]
)
def test_a_tag_that_is_none_is_refused(run: Run, tags: Any) -> None:
    answer = run.http.patch(f"/checkpoints/{run.id_of(1)}", json={"tags": tags})
    problem_of(answer, 422, "invalid")


def test_a_list_is_narrowed_by_phase_pin_state_and_whether_the_folder_is_kept(
    server: Server, agent: FakeAgent
) -> None:
    run = Run(server, agent, retention={"keep_last": 2, "keep_best": 0})
    for step in (1, 2, 3, 4):
        run.save(step, phase="recalibrate" if step == 4 else "train")
        if step == 1:
            run.http.patch(f"/checkpoints/{run.id_of(1)}", json={"pinned": True})
    assert sorted(run.steps(phase="recalibrate")) == [4]
    assert (run.steps(pinned="true"), sorted(run.steps(pinned="false"))) == ([1], [2, 3, 4])
    assert (sorted(run.steps(state="published")), run.steps(state="purging")) == ([1, 3, 4], [2])
    assert (sorted(run.steps(retained="true")), run.steps(retained="false")) == ([1, 3, 4], [2])


@pytest.mark.parametrize(
    "query", [{"phase": "eval"}, {"pinned": "1"}, {"state": "kept"}, {"retained": "yes"}]
)
def test_a_filter_that_is_none_is_refused(http: httpx.Client, query: dict[str, str]) -> None:
    problem = problem_of(http.get("/checkpoints", params=query), 422, "invalid")
    assert [each["pointer"] for each in problem["errors"]] == [f"/query/{next(iter(query))}"]


def test_a_list_may_be_had_without_manifests(run: Run) -> None:
    query = {"job": run.job_id}
    whole = run.http.get("/checkpoints", params=query).json()["data"]
    short = run.http.get("/checkpoints", params=query | {"manifest": "false"}).json()["data"]
    assert all(each["manifest"]["class_names"] for each in whole)
    assert short == [each | {"manifest": None} for each in whole]


def test_checkpoints_of_one_recipe_are_told_apart_by_their_architecture(
    server: Server, agent: FakeAgent
) -> None:
    blocks = "21012020202300003233"
    body = builtin_catalog().model_dump(mode="json")
    agent.http.put(f"/agent/workers/{agent.id}/catalog", json=body).raise_for_status()
    named = Run(server, agent)
    named.save(1)
    run = Run(server, agent, variant={"blocks": blocks})
    run.save(1, variant=f"b{blocks}")
    for variant in (f"b{blocks}", f"b{blocks}-c{'4' * 20}"):
        query = {"recipe": "oneshot", "variant": variant}
        assert run.http.get("/checkpoints/latest", params=query).json()["id"] == run.id_of(1)
        listed = run.http.get("/checkpoints", params=query).json()["data"]
        assert [each["id"] for each in listed] == [run.id_of(1)]
    query = {"recipe": "oneshot", "variant": "searched", "job": named.job_id}
    assert run.http.get("/checkpoints/latest", params=query).json()["id"] == named.id_of(1)
    other = run.http.get("/checkpoints/latest", params=query | {"job": run.job_id})
    problem_of(other, 404, "no_checkpoint")
