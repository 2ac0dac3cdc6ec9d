"""What the control plane hears of an attempt's end."""

import json
from pathlib import Path

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.gpu_driver import FakeDriver
from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker


def test_an_end_and_its_events_are_delivered_after_the_control_plane_was_away(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(ranks="waits_for_a_file")
    held = control_plane.offer(a_claim())
    control_plane.wait_for(lambda: "started" in held.kinds())
    control_plane.stop()
    rank = worker.titled("rank-0")
    (tmp_path / "jobs/job_1/attempts/1/go").touch()
    eventually(lambda: not rank.is_running())
    control_plane.start()
    assert control_plane.report_of(held).outcome == "succeeded"
    assert held.kinds() == ["started", "ended"]


def test_more_events_than_a_beat_carries_are_all_heard_before_the_end(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker(ranks="talks")
    held = control_plane.offer(a_claim())
    report = control_plane.report_of(held)
    assert report.outcome == "succeeded"
    assert len(report.events) < 500
    assert len(held.events) == 1202


@pytest.mark.parametrize(
    ("ranks", "reason", "message"),
    [
        ("fails", "crashed", "exited with status 3; the log ends with: the roof is on fire"),
        ("finds_the_disk_full", "disk_full", "No space left on device"),
    ],
)
def test_ranks_without_a_last_word_fail_with_what_is_known(
    control_plane: FakeControlPlane,
    start_worker: StartWorker,
    ranks: str,
    reason: str,
    message: str,
) -> None:
    start_worker(ranks=ranks)
    report = control_plane.report_of(control_plane.offer(a_claim()))
    assert (report.outcome, report.reason) == ("failed", reason)
    assert message in report.message


def test_a_folder_that_cannot_be_made_fails_its_attempt_and_not_the_worker(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/job_1").touch()
    start_worker(ranks="succeeds")
    report = control_plane.report_of(control_plane.offer(a_claim("job_1")))
    assert (report.outcome, report.reason) == ("failed", "crashed")
    assert "check that it is mounted and writable" in report.message
    assert control_plane.report_of(control_plane.offer(a_claim("job_2"))).outcome == "succeeded"


def test_an_attempt_leaves_a_private_spec_and_sweeps_what_earlier_ones_left(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    attempts = tmp_path / "jobs/job_1/attempts"
    (attempts / "1/.tmp-left").mkdir(parents=True)
    start_worker(ranks="succeeds")
    control_plane.report_of(control_plane.offer(a_claim(attempt=2)))
    assert not (attempts / "1/.tmp-left").exists()
    assert (attempts / "2/spec.json").stat().st_mode & 0o777 == 0o600


def test_each_rank_is_told_its_place_and_has_one_gpu(
    control_plane: FakeControlPlane, start_worker: StartWorker, driver: FakeDriver, tmp_path: Path
) -> None:
    # A user's variables are about other hosts.
    others = {"GLOO_SOCKET_IFNAME": "eth7", "NCCL_SOCKET_IFNAME": "eth7"}
    start_worker(ranks="tells_its_place", **driver.variables, **others)
    assert control_plane.report_of(control_plane.offer(a_claim(gpus=2))).outcome == "succeeded"
    folder = tmp_path / "jobs/job_1/attempts/1"
    places = [json.loads((folder / f"place-{rank}.json").read_text()) for rank in (0, 1)]
    assert [place["LOCAL_RANK"] for place in places] == ["0", "1"]
    assert [place["CUDA_VISIBLE_DEVICES"] for place in places] == ["GPU-0", "GPU-1"]
    assert {place["WORLD_SIZE"] for place in places} == {"2"}
    assert len({(place["MASTER_ADDR"], place["MASTER_PORT"]) for place in places}) == 1
    assert places[0]["MASTER_ADDR"] == "127.0.0.1"
    assert [place["listens"] for place in places] == [True, True]
    for variable in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):
        assert [place[variable] for place in places] == ["lo", "lo"]


def test_a_rank_that_is_alone_draws_no_port_to_meet_others(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker(ranks="tells_its_place", MASTER_PORT=None)
    assert control_plane.report_of(control_plane.offer(a_claim())).outcome == "succeeded"
    place = json.loads((tmp_path / "jobs/job_1/attempts/1/place-0.json").read_text())
    assert (place["WORLD_SIZE"], place["MASTER_PORT"]) == ("1", None)
