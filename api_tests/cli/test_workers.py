"""The commands that show workers."""

from collections.abc import Callable

from typer.testing import Result

from api_tests.support.fake_agent import FakeAgent

Run = Callable[..., Result]


def test_a_gpu_that_is_not_given_out_is_shown_with_its_problem(agent: FakeAgent, run: Run) -> None:
    gpus = [{"index": index, "name": "H100", "memory_bytes": 80_000_000_000} for index in (0, 1)]
    gpus.append({"index": 2, "name": "GPU of a cluster", "memory_bytes": 0})
    gpus[1]["problem"] = "the driver has lost it"
    agent.put(gpus=gpus).raise_for_status()
    shown = run("workers", "show", agent.id).stdout
    assert "gpus        0: H100, 80 GB\n" in shown
    assert "            1: H100, 80 GB; not given out: the driver has lost it\n" in shown
    assert "            2: GPU of a cluster\n" in shown
    (line,) = [line for line in run("workers").stdout.splitlines() if line.startswith(agent.id)]
    assert "2 of 3" in line
    assert "GPU 1: the driver has lost it" in line
