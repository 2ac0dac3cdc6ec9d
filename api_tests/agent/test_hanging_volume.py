"""A volume whose calls do not return: the worker keeps its leases."""

from pathlib import Path

from api_tests.agent.claims import a_claim
from api_tests.agent.conftest import StartWorker
from api_tests.agent.plane import Plane
from api_tests.agent.processes import eventually

QUICK = {"heartbeat_seconds": 0.2}


def test_a_volume_that_hangs_holds_up_no_heartbeat(
    plane: Plane, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(ranks="hides_its_events")
    held = plane.offer(a_claim(lease=QUICK))
    plane.wait_for(lambda: "started" in held.kinds())
    folder = tmp_path / "jobs/job_1/attempts/1"
    (folder / "hang").touch()
    eventually((folder / "hangs").exists)
    until = held.beats + 15
    plane.wait_for(lambda: held.beats >= until)
    assert held.report is None
    (folder / "go").touch()
    report = plane.report_of(held)
    assert (report.outcome, held.kinds()) == ("succeeded", ["started", "ended"])
    worker.wait_for_log("attempt_ended")
