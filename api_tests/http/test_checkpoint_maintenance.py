"""Pinned, verified, deleted, traced, collected: checkpoints over REST."""

import signal
from typing import Any

import pytest

from api_tests.support.checkpoint_folders import attempt_folder
from api_tests.support.checkpoint_volume import flip_a_bit
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.runs import Run
from api_tests.support.server import Server, wait_for


@pytest.mark.parametrize("protection", [{"pinned": True}, {"tags": ["paper"]}])
def test_retention_leaves_what_is_pinned_or_tagged(
    server: Server, agent: FakeAgent, protection: dict[str, Any]
) -> None:
    run = Run(server, agent, retention={"keep_last": 2, "keep_best": 0})
    run.save(1)
    run.save(2)
    assert run.http.patch(f"/checkpoints/{run.id_of(1)}", json=protection).status_code == 200
    run.save(3)
    run.save(4)
    shown = run.http.get(f"/jobs/{run.job_id}/checkpoints").json()["data"]
    assert {each["step"] for each in shown if each["state"] == "published"} == {1, 3, 4}


def test_what_is_let_go_cannot_be_pinned_any_more(server: Server, agent: FakeAgent) -> None:
    run = Run(server, agent, retention={"keep_last": 2, "keep_best": 0})
    for step in (1, 2, 3):
        run.save(step)
    answer = run.http.patch(f"/checkpoints/{run.id_of(1)}", json={"pinned": True})
    problem_of(answer, 409, "checkpoint_going")


def test_a_deleted_checkpoint_has_no_folder_and_is_not_the_best(run: Run) -> None:
    run.agent.report(run.claim)
    path = f"/checkpoints/{run.id_of(2)}"
    assert run.http.delete(path).status_code == 204
    assert run.names() == ["step-000000001", "step-000000003"]
    assert run.http.get(path).json()["state"] == "purged"
    assert run.http.get(f"/jobs/{run.job_id}").json()["best_checkpoint"] == run.id_of(3)
    assert run.http.delete(path).status_code == 204
    problem_of(run.http.post(f"{path}/verify"), 410, "checkpoint_gone")


def test_a_pinned_checkpoint_is_not_deleted(run: Run) -> None:
    run.agent.report(run.claim)
    path = f"/checkpoints/{run.id_of(1)}"
    run.http.patch(path, json={"pinned": True})
    problem_of(run.http.delete(path), 409, "checkpoint_pinned")
    assert "step-000000001" in run.names()
    run.http.patch(path, json={"pinned": False})
    assert run.http.delete(path).status_code == 204


def test_what_a_live_job_would_resume_from_is_not_deleted(server: Server, agent: FakeAgent) -> None:
    run = Run(server, agent, retention={"keep_last": 2, "keep_best": 1})
    for step, error in ((1, 0.1), (2, 0.2), (3, 0.3)):
        run.save(step, error)
    for step in (2, 3):
        problem_of(run.http.delete(f"/checkpoints/{run.id_of(step)}"), 409, "checkpoint_in_use")
    assert run.http.delete(f"/checkpoints/{run.id_of(1)}").status_code == 204
    assert run.names() == ["step-000000002", "step-000000003"]


def test_what_a_waiting_eval_takes_is_not_deleted(run: Run) -> None:
    run.agent.report(run.claim)
    evaluation = run.agent.submit(kind="eval", checkpoint={"id": run.id_of(1)})
    path = f"/checkpoints/{run.id_of(1)}"
    problem = problem_of(run.http.delete(path), 409, "checkpoint_in_use")
    assert evaluation["id"] in problem["detail"]
    run.http.post(f"/jobs/{evaluation['id']}/cancel")
    assert run.http.delete(path).status_code == 204


def test_a_whole_checkpoint_verifies(run: Run) -> None:
    answer = run.http.post(f"/checkpoints/{run.id_of(1)}/verify").json()
    assert (answer["ok"], answer["problems"]) == (True, [])


def test_a_flipped_bit_is_found_marked_and_passed_over_until_it_is_mended(run: Run) -> None:
    folder = attempt_folder(run.volume, 1, run.job_id) / "step-000000003"
    whole = (folder / "model.safetensors").read_bytes()
    flip_a_bit(folder)
    path = f"/checkpoints/{run.id_of(3)}"
    found = run.http.post(f"{path}/verify").json()
    assert found["problems"] == ["model.safetensors has another sha256"]
    assert run.http.get(path).json()["state"] == "damaged"
    query = {"job": run.job_id}
    assert run.http.get("/checkpoints/latest", params=query).json()["step"] == 2
    events = run.http.get(f"/jobs/{run.job_id}/events").json()["data"]
    assert any("is damaged: model.safetensors" in each["message"] for each in events)
    (folder / "model.safetensors").write_bytes(whole)
    assert run.http.post(f"{path}/verify").json()["ok"]
    assert run.http.get("/checkpoints/latest", params=query).json()["step"] == 3


def test_an_eval_that_finds_its_source_damaged_has_it_marked(run: Run, agent: FakeAgent) -> None:
    run.agent.report(run.claim)
    agent.submit(kind="eval", checkpoint={"id": run.id_of(3)})
    claim = agent.claim()
    damage = {"checkpoint_id": run.id_of(3), "problems": ["a digest differs"]}
    agent.beat(claim, ("damaged", damage))
    assert run.http.get(f"/checkpoints/{run.id_of(3)}").json()["state"] == "damaged"
    assert run.http.get(f"/jobs/{run.job_id}").json()["latest_checkpoint"] == run.id_of(2)


def test_lineage_goes_to_the_root_over_jobs_and_to_the_children(
    server: Server, agent: FakeAgent
) -> None:
    first = Run(server, agent)
    first.save(1)
    first.save(2, parent_checkpoint=first.id_of(1))
    agent.report(first.claim)
    source = {"id": first.id_of(2)}
    second = Run(server, agent, init_from=source)
    second.save(5, parent_checkpoint=first.id_of(2))
    second.save(6, parent_checkpoint=second.id_of(5))
    agent.report(second.claim)
    evaluation = agent.submit(kind="eval", checkpoint={"id": second.id_of(5)}, name="a look")
    found = agent.http.get(f"/checkpoints/{second.id_of(5)}/lineage").json()
    assert found["checkpoint"]["job_id"] == second.job_id
    assert found["spec"]["init_from"]["id"] == first.id_of(2)
    line = [(each["id"], each["job_id"], each["attempt"]) for each in found["ancestors"]]
    assert line == [(first.id_of(step), first.job_id, 1) for step in (2, 1)]
    assert found["complete"]
    assert [each["id"] for each in found["children"]] == [second.id_of(6)]
    assert found["jobs"] == [evaluation["id"]]
    (use,) = found["uses"]
    shown = (use["job_id"], use["kind"], use["name"], use["state"], use["metrics"])
    assert shown == (evaluation["id"], "eval", "a look", "queued", {})
    evaluated = {"top1_error": 0.25, "ok": True, "files": {}, "note": "x"}
    agent.report(agent.claim(), result=evaluated)
    again = agent.http.get(f"/checkpoints/{second.id_of(5)}/lineage").json()
    assert [(each["state"], each["metrics"]) for each in again["uses"]] == [
        ("succeeded", {"top1_error": 0.25})
    ]
    root = agent.http.get(f"/checkpoints/{first.id_of(1)}/lineage").json()
    assert (root["ancestors"], root["complete"]) == ([], True)
    problem_of(agent.http.get("/checkpoints/ckpt_none/lineage"), 404, "no_such_checkpoint")


def test_lineage_says_where_it_breaks_off_and_ends_in_a_circle(
    server: Server, agent: FakeAgent
) -> None:
    run = Run(server, agent)
    run.save(1, parent_checkpoint="ckpt_lost")
    run.save(2, parent_checkpoint=run.id_of(3))
    run.save(3, parent_checkpoint=run.id_of(2))
    lost = run.http.get(f"/checkpoints/{run.id_of(1)}/lineage").json()
    assert (lost["ancestors"], lost["complete"]) == ([], False)
    circle = run.http.get(f"/checkpoints/{run.id_of(2)}/lineage").json()
    assert {each["id"] for each in circle["ancestors"]} == {run.id_of(2), run.id_of(3)}


def ended_with_a_surplus(server: Server, agent: FakeAgent) -> Run:
    """Three checkpoints, of which its retention keeps two."""
    run = Run(server, agent, retention={"keep_last": 2, "keep_best": 0})
    for step in (1, 2, 3):
        run.save(step)
    agent.report(run.claim)
    return run


def test_a_collection_is_told_of_first_and_then_made(server: Server, agent: FakeAgent) -> None:
    run = ended_with_a_surplus(server, agent)
    plan = agent.http.post("/checkpoints/gc", json={"dry_run": True}).json()
    mine = [each for each in plan["data"] if run.job_id in each["path"]]
    assert [(each["checkpoint_id"], each["why"]) for each in mine] == [
        (run.id_of(1), "the job's retention does not keep it")
    ]
    assert len(run.names()) == 3
    made = agent.http.post("/checkpoints/gc", json={}).json()
    assert [each for each in made["data"] if run.job_id in each["path"]] == mine
    assert run.names() == ["step-000000002", "step-000000003"]


def test_the_server_finishes_what_a_dead_worker_has_not_removed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = Server(tmp_path_factory.mktemp("tidy"), tidy_seconds="0.1")
    try:
        run = ended_with_a_surplus(server, FakeAgent(server))
        path = f"/checkpoints/{run.id_of(1)}"
        wait_for(lambda: bool(run.http.get(path).json()["state"] == "purged"), "the removal")
        assert run.names() == ["step-000000002", "step-000000003"]
        run.http.close()
    finally:
        server.stop()


def test_a_server_finishes_as_it_starts_what_the_one_before_left(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = Server(tmp_path_factory.mktemp("left"), tidy_seconds="3600")
    try:
        run = ended_with_a_surplus(server, FakeAgent(server))
        path = f"/checkpoints/{run.id_of(1)}"
        run.http.close()
        server.stop(signal.SIGKILL)
        server.start()
        wait_for(lambda: bool(server.http.get(path).json()["state"] == "purged"), "the removal")
        assert run.names() == ["step-000000002", "step-000000003"]
    finally:
        server.stop()
