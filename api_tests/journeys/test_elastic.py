"""A job with a range of GPUs goes on with more of them where more are free."""

from pathlib import Path

import pytest

from api_tests.support.gpu_driver import FakeDriver, a_gpu
from api_tests.support.installation import PATIENCE_SECONDS, TRAIN, Installation, rank_of

# One after another: their leases are of seconds, and each needs the machine's cores.
pytestmark = pytest.mark.xdist_group("whole machine")

WORKER = "api_tests.support.fake_gpu_worker"


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    """The driver of every worker that is started, as long as it is running."""
    driver = FakeDriver(tmp_path)
    for name, value in driver.variables.items():
        monkeypatch.setenv(name, value)
    return driver


def test_a_drained_job_goes_on_with_more_gpus_to_its_end(
    driver: FakeDriver, installation: Installation
) -> None:
    client = installation.client
    params = TRAIN["params"] | {"total_iters": 24, "save_interval": 4}
    spec = TRAIN | {"params": params, "resources": {"gpus": {"min": 1, "max": 4}}}
    driver.has(a_gpu(0))
    narrow = installation.start_worker(WORKER)
    job_id = client.submit(spec).id
    installation.running_past(job_id, 4)
    # It cannot end before it is drained.
    training = rank_of(narrow)
    training.suspend()
    narrow.terminate()
    training.resume()
    narrow.wait(PATIENCE_SECONDS)
    driver.has(a_gpu(0), a_gpu(1))
    installation.start_worker(WORKER)
    ended = client.wait(job_id, timeout_seconds=PATIENCE_SECONDS)
    assert ended.state == "succeeded", ended.message
    first, second = client.attempts(job_id)
    assert (first.state, first.gpu_count) == ("released", 1)
    assert (second.state, second.gpu_count) == ("succeeded", 2)
    messages = [event.message for event in client.events(job_id)]
    claimed = [each for each in messages if each.startswith("claimed by")]
    assert [each.split(" with ")[1] for each in claimed] == [
        "1 GPU, of 1 to 4 that it may have",
        "2 GPUs, of 1 to 4 that it may have",
    ]
    assert any(each.startswith("resumed with 2 ranks, not 1") for each in messages)
    assert ranks_of(installation, job_id, attempt=2) == 2


def ranks_of(installation: Installation, job_id: str, *, attempt: int) -> int:
    """How many ranks have saved the checkpoints of an attempt."""
    folder = installation.volume / f"jobs/{job_id}/attempts/{attempt}"
    return len({path.name for path in folder.glob("step-*/rank-*.json")})
