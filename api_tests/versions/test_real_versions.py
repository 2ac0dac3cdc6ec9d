"""The code of the version before, taken from the history, beside this one: one job each way."""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.installation import PATIENCE_SECONDS, TRAIN, Installation

ROOT = Path(__file__).parents[2]
BEFORE = "68755ab"


@pytest.fixture
def code_before(tmp_path: Path) -> Path:
    """The packages of the version before."""
    archived = subprocess.run(
        ["git", "archive", BEFORE, "service", "workers"], cwd=ROOT, capture_output=True
    )
    if archived.returncode:
        pytest.skip(f"this clone does not have the commit {BEFORE} of the version before")
    folder = tmp_path / "before"
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
        archive.extractall(folder, filter="data")
    # It looks for the file of this package at its start, which nothing installs any more.
    plotly = folder / "plotly"
    plotly.mkdir()
    (plotly / "__init__.py").touch()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "yard"
    folder.mkdir()
    return folder


@pytest.fixture(params=["an older worker", "an older server"])
def installation(
    request: pytest.FixtureRequest,
    code_before: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Installation]:
    """Server and worker, one of them of the version before."""
    is_old_worker = request.param == "an older worker"

    def use(code: Path) -> None:
        # `python -m` looks in the working folder first.
        monkeypatch.chdir(code)
        monkeypatch.setenv("PYTHONPATH", str(code))

    use(ROOT if is_old_worker else code_before)
    installation = Installation(folder)
    use(code_before if is_old_worker else ROOT)
    installation.start_worker()
    yield installation
    installation.close()


def test_a_training_runs_from_the_queue_to_its_final_weights(installation: Installation) -> None:
    spec = TRAIN | {"params": TRAIN["params"] | {"total_iters": 10}}
    job = installation.client.submit(spec)
    ended = installation.client.wait(job.id, timeout_seconds=PATIENCE_SECONDS)
    assert (ended.state, ended.message) == ("succeeded", None)
    assert installation.final_digest(job.id)
    # Only two of this version speak of what a worker can do.
    (worker,) = installation.client.workers()
    assert worker.catalog_digest is None
