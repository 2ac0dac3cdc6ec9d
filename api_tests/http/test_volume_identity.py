"""A folder that is not the volume, such as an empty mount point, loses no checkpoint."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.runs import Run
from api_tests.support.server import Server, refused_start
from service.volume.identity import IDENTITY_FILE, identity_of

MODEL = "model.safetensors"


@contextmanager
def unmounted(volume: Path) -> Iterator[None]:
    """The volume is away; its mount point is an empty folder."""
    away = volume.with_name("away")
    volume.rename(away)
    volume.mkdir()
    try:
        yield
        assert list(volume.iterdir()) == []
    finally:
        volume.rmdir()
        away.rename(volume)


def test_the_first_server_gives_a_volume_its_identity_and_no_other_folder_is_taken_for_it(
    tmp_path: Path,
) -> None:
    server = Server(tmp_path)
    volume_id = identity_of(server.volume)
    server.stop()
    assert volume_id is not None
    with unmounted(server.volume):
        status, said = refused_start(tmp_path)
        assert status == 2
        assert f"has no file {IDENTITY_FILE}, and the server's volume is {volume_id}" in said
    other = tmp_path / "other"
    other.mkdir()
    (other / IDENTITY_FILE).write_text("vol_other\n")
    status, said = refused_start(tmp_path, volume=str(other))
    assert status == 2
    assert f"is volume vol_other, and the server's volume is {volume_id}" in said
    server.start()
    assert server.stop() == 0
    assert identity_of(server.volume) == volume_id


def test_a_volume_of_before_identities_is_given_one(tmp_path: Path) -> None:
    (tmp_path / "volume" / "jobs").mkdir(parents=True)
    server = Server(tmp_path)
    server.stop()
    assert identity_of(server.volume) is not None


@pytest.mark.parametrize("seen", [None, "vol_other"])
def test_a_worker_with_another_volume_is_quarantined_until_it_has_the_servers(
    server: Server, agent: FakeAgent, seen: str | None
) -> None:
    agent.submit()
    reply = put_volume(agent, seen)
    volume_id = identity_of(server.volume)
    assert reply["id"] == volume_id
    worker = shown(agent)
    assert worker["state"] == "quarantined"
    assert "/mnt/volume" in worker["message"]
    assert str(volume_id) in worker["message"]
    assert agent.ask().status_code == 204
    problem_of(agent.http.post(f"/workers/{agent.id}/resume"), 409, "wrong_volume")
    assert put_volume(agent, volume_id)["id"] == volume_id
    assert (shown(agent)["state"], shown(agent)["message"]) == ("active", None)
    assert agent.ask().status_code == 200


def test_a_worker_that_never_sends_its_volume_goes_on_working(agent: FakeAgent) -> None:
    agent.submit()
    assert agent.ask().status_code == 200


def test_what_a_worker_does_not_see_is_not_damaged(run: Run) -> None:
    no_file = "manifest.json cannot be read: No such file or directory"
    damage = {"checkpoint_id": run.id_of(3), "problems": [no_file]}
    run.agent.beat(run.claim, ("damaged", damage))
    assert run.http.get(f"/checkpoints/{run.id_of(3)}").json()["state"] == "published"
    events = run.http.get(f"/jobs/{run.job_id}/events").json()["data"]
    assert any("is not on the volume of this worker" in each["message"] for each in events)


def test_a_server_whose_volume_is_away_marks_nothing_and_says_so(tmp_path: Path) -> None:
    server = Server(tmp_path)
    agent = FakeAgent(server)
    run = Run(server, agent, retention={"keep_last": 2, "keep_best": 0})
    for step in (1, 2, 3, 4):
        run.save(step)
    agent.log(run.claim, b"step 4")
    before = states(run)
    agent.report(run.claim)
    newest, http = f"/checkpoints/{run.id_of(4)}", run.http
    with unmounted(server.volume):
        problem_of(http.get("/readyz"), 503, "not_ready")
        problem_of(http.post(f"{newest}/verify"), 503, "wrong_volume")
        problem_of(http.post("/checkpoints/gc", json={}), 503, "wrong_volume")
        problem_of(http.get(f"{newest}/files/{MODEL}"), 503, "wrong_volume")
        problem_of(http.get(f"/jobs/{run.job_id}/logs"), 503, "wrong_volume")
        assert states(run) == before
        assert http.delete(newest).status_code == 204
        assert states(run)[run.id_of(4)] == "deleting"
    assert http.get("/readyz").status_code == 200
    collected = http.post("/checkpoints/gc", json={}).json()["data"]
    assert run.id_of(4) in [garbage["checkpoint_id"] for garbage in collected]
    assert states(run)[run.id_of(3)] == "published"
    agent.http.close()
    server.stop()


def test_an_export_is_not_made_again_while_the_volume_is_away(tmp_path: Path) -> None:
    server = Server(tmp_path)
    agent = FakeAgent(server)
    run = Run(server, agent)
    run.save(1)
    agent.report(run.claim)
    path, form = f"/checkpoints/{run.id_of(1)}/export", {"format": "safetensors"}
    first = run.http.post(path, json=form).json()["id"]
    claim = agent.ask().json()
    agent.beat(claim)
    digest = {"bytes": 7, "sha256": "0" * 64}
    agent.report(claim, result={"files": {"weights.safetensors": digest}})
    with unmounted(server.volume):
        problem_of(run.http.post(path, json=form), 503, "wrong_volume")
        problem_of(run.http.get(path, params=form), 503, "wrong_volume")
    exports = run.http.get("/jobs", params={"kind": "export"}).json()["data"]
    assert [job["id"] for job in exports] == [first]
    agent.http.close()
    server.stop()


def put_volume(agent: FakeAgent, volume_id: str | None) -> dict[str, Any]:
    body = {"path": "/mnt/volume", "id": volume_id}
    response = agent.http.put(f"/agent/workers/{agent.id}/volume", json=body)
    assert response.status_code == 200, response.text
    reply: dict[str, Any] = response.json()
    return reply


def shown(agent: FakeAgent) -> dict[str, Any]:
    workers = agent.http.get("/workers").json()["data"]
    found: dict[str, Any] = next(each for each in workers if each["id"] == agent.id)
    return found


def states(run: Run) -> dict[str, str]:
    listed = run.http.get(f"/jobs/{run.job_id}/checkpoints").json()["data"]
    return {each["id"]: each["state"] for each in listed}
