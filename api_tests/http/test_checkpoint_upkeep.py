"""Sorted, pinned, tagged, verified, deleted, collected: checkpoints over REST."""

from typing import Any

import httpx
import pytest

from api_tests.checkpoints.folders import attempt_folder, save
from api_tests.checkpoints.yards import flip_a_bit
from api_tests.http.fake_agent import FakeAgent
from api_tests.http.problems import problem_of
from api_tests.http.server import Server, wait_for
from api_tests.manifests import told_of
from service.volume.folder import read_manifest

DIGITS = {"num_classes": 10, "class_names": [str(digit) for digit in range(10)]}
# Steps and errors in three orders, so that no order is another's by accident.
ERRORS = {1: 0.3, 2: 0.1, 3: 0.2}


class Run:
    """A claimed training whose checkpoints are whole folders."""

    def __init__(self, server: Server, agent: FakeAgent, **fields: Any) -> None:
        self.agent, self.volume = agent, server.volume
        agent.submit(**{"retention": {"keep_last": 9}} | fields)
        self.claim = agent.claim()
        self.job_id: str = self.claim["job_id"]
        self.http = agent.http

    def id_of(self, step: int) -> str:
        """The id of the checkpoint of a step."""
        return f"ckpt_{self.job_id[-12:]}_{step}"

    def save(self, step: int, error: float | None = None, **fields: Any) -> str:
        """Publish a checkpoint and tell of it."""
        folder = attempt_folder(self.volume, self.claim["attempt"], self.job_id)
        own = {"job_id": self.job_id, "attempt": self.claim["attempt"], **DIGITS}
        metrics = {} if error is None else {"top1_error": error}
        own |= {"checkpoint_id": self.id_of(step), "metrics": metrics} | fields
        assert save(folder, step, **own) is None
        manifest = read_manifest(folder / f"step-{step:09d}")
        assert manifest is not None
        self.agent.beat(self.claim, ("checkpoint", told_of(manifest)))
        return manifest.checkpoint_id

    def steps(self, **query: Any) -> list[int]:
        """The steps of a list, all pages of it."""
        found: list[int] = []
        after = None
        while True:
            asked = {"job": self.job_id, "limit": 2, **query} | ({"after": after} if after else {})
            page = self.http.get("/checkpoints", params=asked).json()
            found += [each["step"] for each in page["data"]]
            after = page["next"]
            if not page["has_more"]:
                return found

    def names(self) -> list[str]:
        """The folders of its attempt."""
        return sorted(p.name for p in attempt_folder(self.volume, 1, self.job_id).iterdir())


@pytest.fixture
def run(server: Server, agent: FakeAgent) -> Run:
    run = Run(server, agent)
    for step, error in ERRORS.items():
        run.save(step, error)
    return run


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


@pytest.mark.parametrize("kept", [{"pinned": True}, {"tags": ["paper"]}])
def test_retention_leaves_what_is_pinned_or_tagged(
    server: Server, agent: FakeAgent, kept: dict[str, Any]
) -> None:
    run = Run(server, agent, retention={"keep_last": 2, "keep_best": 0})
    run.save(1)
    run.save(2)
    assert run.http.patch(f"/checkpoints/{run.id_of(1)}", json=kept).status_code == 200
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
    told = {"checkpoint_id": run.id_of(3), "problems": ["a digest differs"]}
    agent.beat(claim, ("damaged", told))
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
    evaluation = agent.submit(kind="eval", checkpoint={"id": second.id_of(5)})
    found = agent.http.get(f"/checkpoints/{second.id_of(5)}/lineage").json()
    assert found["checkpoint"]["job_id"] == second.job_id
    assert found["spec"]["init_from"]["id"] == first.id_of(2)
    line = [(each["id"], each["job_id"], each["attempt"]) for each in found["ancestors"]]
    assert line == [(first.id_of(step), first.job_id, 1) for step in (2, 1)]
    assert found["complete"]
    assert [each["id"] for each in found["children"]] == [second.id_of(6)]
    assert found["jobs"] == [evaluation["id"]]
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


def test_a_collection_is_told_of_first_and_then_made(server: Server, agent: FakeAgent) -> None:
    run = Run(server, agent, retention={"keep_last": 2, "keep_best": 0})
    for step in (1, 2, 3):
        run.save(step)
    agent.report(run.claim)
    told = agent.http.post("/checkpoints/gc", json={"dry_run": True}).json()
    mine = [each for each in told["data"] if run.job_id in each["path"]]
    assert [(each["checkpoint_id"], each["why"]) for each in mine] == [
        (run.id_of(1), "retention lets it go")
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
        run = Run(server, FakeAgent(server), retention={"keep_last": 2, "keep_best": 0})
        for step in (1, 2, 3):
            run.save(step)
        run.agent.report(run.claim)
        path = f"/checkpoints/{run.id_of(1)}"
        wait_for(lambda: bool(run.http.get(path).json()["state"] == "purged"), "the removal")
        assert run.names() == ["step-000000002", "step-000000003"]
        run.http.close()
    finally:
        server.stop()
