"""The Python client against a real server and a real worker, which these tests share."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from api_tests.support.coroutines import result_of
from api_tests.support.installation import TRAIN, Installation
from service.client import AsyncClient, Job

QUICK = {"total_iters": 20, "batch_size": 16, "image_size": 32, "learning_rate": 0.05}
SMALL: dict[str, Any] = TRAIN | {"recipe": "shufflenet_v2", "variant": "0.5x", "params": QUICK}
ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
pytestmark = pytest.mark.xdist_group("python client")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A server with one worker."""
    installation = Installation(tmp_path_factory.mktemp("shared"))
    installation.start_worker()
    yield installation
    installation.close()


@pytest.fixture(scope="module")
def trained(shared: Installation) -> Job:
    """A training that has ended."""
    job = shared.client.submit(SMALL).wait(90)
    assert job.state == "succeeded", job.message
    return job


def test_the_eight_lines_lead_from_a_submission_to_a_network(
    shared: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _lines_of("README.md")
    assert len(list(filter(None, lines.splitlines()))) == 8
    assert _lines_of("docs/client.md") == lines
    monkeypatch.setenv("TRAINYARD_SERVER", shared.url)
    names: dict[str, Any] = {}
    exec(compile(lines, "README.md", "exec"), names)
    shown = capsys.readouterr().out
    assert "train_top1_error" in shown
    assert re.search(r"tensor\(\[\d\]\)", shown)
    names["job"]._driver.close()


def test_the_weights_and_the_network_of_a_checkpoint_are_those_of_its_training(
    trained: Job, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    final = trained.latest
    assert final.phase == "final"
    weights = final.load_state_dict()
    stored = load_file(final.download(tmp_path) / "model.safetensors")
    assert all(torch.equal(weights[name], tensor) for name, tensor in stored.items())
    network = final.network()
    assert not network.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, weights[name]), name
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_a_real_stream_tells_the_whole_history_and_ends(trained: Job) -> None:
    streamed = list(trained.stream())
    assert streamed == list(trained.events())
    assert {"submitted", "claimed", "started", "succeeded"} <= {each.kind for each in streamed}


def test_a_program_with_an_event_loop_does_the_same(shared: Installation) -> None:
    async def program() -> None:
        async with AsyncClient(shared.url) as client:
            job = await client.submit(SMALL | {"params": QUICK | {"total_iters": 1}})
            kinds = [event.kind async for event in job.stream()]
            assert kinds[0] == "submitted"
            assert kinds[-1] == "succeeded"
            assert (await job.wait(5)).state == "succeeded"
            assert (await (await job.latest).network())(_image()).shape == (1, 10)

    result_of(program())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(
    shared: Installation, trained: Job, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trained.state == "succeeded"
    monkeypatch.setenv("TRAINYARD_SERVER", shared.url)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(path.parent))
    shown = str([cell.get("outputs") for cell in notebook.cells])
    assert "<table>" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_is_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert not any(cell.outputs or cell.execution_count for cell in code)


def _image() -> Any:
    import torch

    return torch.zeros(1, 3, 32, 32)


def _lines_of(page: str) -> str:
    """The block of Python that imports the client."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return next(block for block in blocks if "import Client" in block)
