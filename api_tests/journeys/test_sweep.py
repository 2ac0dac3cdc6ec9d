"""A sweep with successive halving, whose server and worker are killed."""

from typing import Any

import pytest

from api_tests.support.installation import PARAMS, TRAIN, Installation, kill, until

pytestmark = pytest.mark.xdist_group("whole machine")

TRIALS = 4
SWEEP: dict[str, Any] = {
    "name": "rates",
    "job": TRAIN | {"params": {k: v for k, v in PARAMS.items() if k != "learning_rate"}},
    "parameters": {"learning_rate": {"low": 1e-4, "high": 0.1, "log": True}},
    "method": {"kind": "asha", "trials": TRIALS, "min_steps": 5, "reduction_factor": 2},
    "jobs_at_once": 2,
}
SWEEP["job"]["params"] |= {"total_iters": 20, "val_interval": 5}


def test_a_sweep_ends_with_each_trial_accounted_for_after_its_server_and_worker_were_killed(
    installation: Installation,
) -> None:
    worker = installation.start_worker(SLOTS="2")
    answer = installation.http.post("/sweeps", json=SWEEP)
    assert answer.status_code == 201, answer.text
    path = f"/sweeps/{answer.json()['id']}"

    def ended() -> int:
        trials: dict[str, int] = installation.http.get(path).json()["trials"]
        return sum(count for state, count in trials.items() if state != "live")

    until(lambda: ended() >= 1)
    kill(installation.server)
    installation.start_server()
    until(lambda: ended() >= 2)
    kill(worker)
    installation.start_worker(SLOTS="2")
    until(lambda: installation.http.get(path).json()["state"] == "finished")
    sweep = installation.http.get(path).json()
    assert sum(sweep["trials"].values()) == TRIALS
    assert set(sweep["trials"]) <= {"succeeded", "stopped"}
    trials = installation.http.get(f"{path}/trials").json()["data"]
    assert [trial["number"] for trial in trials] == [*range(1, TRIALS + 1)]
    jobs = installation.http.get("/jobs", params={"label": f"sweep:{sweep['id']}"}).json()["data"]
    assert {job["id"] for job in jobs} == {trial["job_id"] for trial in trials}
    assert len(jobs) == TRIALS
    # One that was stopped has left a state to go on from, like any job that was cancelled.
    for job in jobs:
        assert job["latest_checkpoint"] is not None
    best = sweep["best"]
    assert best["value"] == min(trial["value"] for trial in trials)
    checked = installation.http.post(f"/checkpoints/{best['checkpoint_id']}/verify")
    assert checked.json()["ok"], checked.text
