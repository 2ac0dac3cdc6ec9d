"""A worker whose GPUs are not sound: what it registers, gives out, and does with its jobs."""

import json
from pathlib import Path

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.gpu_driver import FakeDriver, a_gpu, an_instance
from api_tests.support.worker_process import StartWorker


def test_a_worker_whose_torch_cannot_use_its_gpus_gives_the_job_back_and_takes_no_other(
    control_plane: FakeControlPlane, start_worker: StartWorker, driver: FakeDriver
) -> None:
    start_worker(**driver.variables)
    report = control_plane.report_of(control_plane.offer(a_claim(gpus=2)))
    assert (report.outcome, report.reason) == ("failed", "worker_unfit")
    assert report.message.startswith("torch cannot use the GPU: ")
    # torch's own words, of a machine without the driver.
    assert "NVIDIA" in report.message
    assert "GPU 0" in report.message or "GPU 1" in report.message
    control_plane.wait_for(lambda: control_plane.claim_requests[-1].free_gpus == 0)
    control_plane.wait_for(lambda: len(control_plane.registered) == 2)
    _, registration = control_plane.registered[-1]
    assert all(str(gpu.problem).startswith("torch cannot use") for gpu in registration.gpus)


def test_a_worker_without_usable_gpus_still_trains_on_the_cpu(
    control_plane: FakeControlPlane, start_worker: StartWorker, driver: FakeDriver
) -> None:
    start_worker(**driver.variables)
    control_plane.report_of(control_plane.offer(a_claim(gpus=1)))
    report = control_plane.report_of(control_plane.offer(a_claim(job_id="job_2")))
    assert report.outcome == "succeeded", report.message


def test_a_lost_gpu_is_registered_with_its_problem_and_the_other_one_works(
    control_plane: FakeControlPlane, start_worker: StartWorker, driver: FakeDriver, tmp_path: Path
) -> None:
    driver.has(a_gpu(0, lost=True), a_gpu(1))
    worker = start_worker(ranks="tells_its_place", **driver.variables)
    control_plane.wait_for(lambda: control_plane.claim_requests)
    _, registration = control_plane.registered[0]
    assert [gpu.index for gpu in registration.gpus] == [0, 1]
    assert "GPU is lost" in str(registration.gpus[0].problem)
    assert registration.gpus[1].problem is None
    assert control_plane.claim_requests[0].free_gpus == 1
    control_plane.report_of(control_plane.offer(a_claim(gpus=1)))
    assert visible_devices(tmp_path) == "GPU-1"
    assert worker.process.poll() is None


def test_a_job_runs_on_an_instance_of_a_gpu_in_mig_mode(
    control_plane: FakeControlPlane, start_worker: StartWorker, driver: FakeDriver, tmp_path: Path
) -> None:
    driver.has(a_gpu(0, instances=[an_instance(1), an_instance(2)]))
    start_worker(ranks="tells_its_place", **driver.variables)
    held = control_plane.offer(a_claim(gpus=1))
    control_plane.report_of(held)
    _, registration = control_plane.registered[0]
    assert [gpu.index for gpu in registration.gpus] == [101, 102]
    assert visible_devices(tmp_path) == "MIG-1"


def test_a_job_for_which_a_gpu_too_few_is_left_is_given_back(
    control_plane: FakeControlPlane, start_worker: StartWorker, driver: FakeDriver
) -> None:
    driver.has(a_gpu(0), a_gpu(1, lost=True))
    start_worker(ranks="succeeds", **driver.variables)
    report = control_plane.report_of(control_plane.offer(a_claim(gpus=2)))
    assert (report.outcome, report.reason) == ("released", "released")
    assert "it needs 2 GPUs, and 1 can be given out" in report.message


def test_a_driver_that_crashes_costs_the_gpus_and_not_the_worker(
    control_plane: FakeControlPlane, start_worker: StartWorker, driver: FakeDriver
) -> None:
    driver.fails("crash")
    start_worker(ranks="succeeds", **driver.variables)
    assert control_plane.report_of(control_plane.offer(a_claim())).outcome == "succeeded"
    _, registration = control_plane.registered[0]
    assert "the NVIDIA driver could not be asked" in str(registration.gpus[0].problem)


def visible_devices(folder: Path) -> str:
    """What the first rank of the first attempt was given to see."""
    place = folder / "jobs/job_1/attempts/1/place-0.json"
    return str(json.loads(place.read_text())["CUDA_VISIBLE_DEVICES"])
