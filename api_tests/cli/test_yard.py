"""`trainyard up` and `trainyard demo` as a user starts them: real server, worker and training."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from api_tests.support.processes import lives
from api_tests.support.trainings import ENDLESS
from service.client import ServerUnreachable, TrainyardClient
from service.contract.jobs import JobState

pytestmark = pytest.mark.xdist_group("whole machine")

DEMO_SECONDS = 1200.0
"""A demo takes minutes of the CPU, and has a part of it where other tests run beside it."""

# Nothing on this machine may be called by a proxy, and these two would not answer.
UNUSABLE_PROXIES = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
    "NO_PROXY": "::1",
    "no_proxy": "::1",
}


class Command:
    """A running `trainyard` command on a free port, and all processes that it has."""

    def __init__(self, folder: Path, *name: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.folder = folder / "yard"
        self.seen: dict[int, psutil.Process] = {}
        self._output = folder / "output"
        args = [*name, "--data-dir", str(self.folder), "--port", str(self.port)]
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service.cli", *args],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"OMP_NUM_THREADS": "1"} | UNUSABLE_PROXIES,
            )
        self.client = TrainyardClient(f"http://127.0.0.1:{self.port}")

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._output.read_text()

    def look(self) -> set[str]:
        """The titles of its processes now; each is remembered."""
        titles = set()
        for each in psutil.Process(self.process.pid).children(recursive=True):
            self.seen[each.pid] = each
            try:
                titles.add(" ".join(each.cmdline()))
            except psutil.NoSuchProcess:
                continue
        return titles

    def left(self) -> list[psutil.Process]:
        """Those of its processes that still live."""
        return [each for each in self.seen.values() if lives(each)]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    commands: list[Command] = []

    def started(*name: str) -> Command:
        commands.append(Command(tmp_path, *name))
        return commands[-1]

    yield started
    for command in commands:
        command.client.close()
        if command.process.poll() is None:
            command.look()
            command.process.kill()
        command.process.wait()
        for each in command.left():
            each.kill()


def _train(command: Command, wait_for: Any) -> str:
    wait_for(command.client.ready)
    job_id = command.client.submit(ENDLESS).id
    wait_for(lambda: command.client.job(job_id).progress.step >= 2)
    assert any("rank-0" in title for title in command.look()), command.look()
    return job_id


def test_up_saves_the_training_at_its_end_and_goes_on_with_it_when_started_again(
    start: Any, wait_for: Any
) -> None:
    up = start("up")
    job_id = _train(up, wait_for)
    assert {"trainyard.db", "volume", "data", "imports", "logs"} <= set(os.listdir(up.folder))
    assert f"http://127.0.0.1:{up.port}/" in up.output
    wait_for(lambda: f"{job_id}: running" in up.output)
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(60) == 0
    assert up.left() == []
    (saved,) = (up.folder / "volume").rglob("manifest.json")
    again = start("up")
    wait_for(again.client.ready)
    wait_for(lambda: again.client.job(job_id).attempt == 2)
    step = int(saved.parent.name.removeprefix("step-"))
    wait_for(lambda: again.client.job(job_id).progress.step > step)
    (note,) = [e.message for e in again.client.events(job_id) if "resumed at step" in e.message]
    assert f"resumed at step {step}" in note


def test_nothing_is_left_of_a_killed_up_in_the_middle_of_a_training(
    start: Any, wait_for: Any
) -> None:
    up = start("up")
    _train(up, wait_for)
    up.process.kill()
    wait_for(lambda: up.left() == [])
    with pytest.raises(ServerUnreachable):
        up.client.job("job_1")


def test_a_killed_server_comes_back_and_the_training_goes_on(start: Any, wait_for: Any) -> None:
    up = start("up")
    job_id = _train(up, wait_for)
    (server,) = (each for each in up.seen.values() if "server" in " ".join(each.cmdline()))
    server.kill()
    wait_for(lambda: "server ended unexpectedly (signal 9)" in up.output)
    wait_for(up.client.ready)
    step = up.client.job(job_id).progress.step
    wait_for(lambda: up.client.job(job_id).progress.step > step)
    assert up.client.job(job_id).attempt == 1


def test_a_second_yard_in_the_same_folder_is_refused(start: Any, wait_for: Any) -> None:
    first = start("up")
    wait_for(first.client.ready)
    second = start("up")
    assert second.process.wait(30) == 1
    assert second.output.startswith("trainyard: ")
    assert "Traceback" not in second.output
    assert first.client.ready()


def test_an_interrupted_demo_cancels_its_job_and_leaves_nothing(start: Any, wait_for: Any) -> None:
    demo = start("demo")
    wait_for(demo.client.ready)
    wait_for(lambda: any(job.progress.step >= 20 for job in demo.client.jobs()))
    demo.look()
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(60) != 0
    assert demo.left() == []
    assert "Traceback" not in demo.output
    up = start("up")
    wait_for(up.client.ready)
    (job,) = up.client.jobs()
    assert job.state == JobState.CANCELLED


@pytest.mark.slow
@pytest.mark.timeout(DEMO_SECONDS + 120)
def test_a_demo_ends_with_its_error_and_its_newest_checkpoint(start: Any, wait_for: Any) -> None:
    output = _output_to_the_end(start("demo"), wait_for)
    (percent,) = _printed(output, r"evaluated on the validation images: top-1 error ([\d.]+) %")
    assert 0 <= float(percent) < 8
    checkpoint_id, step = _printed(output, r"its latest checkpoint: (\w+), step (\d+), [\d.]+ MB")
    up = start("up")
    wait_for(up.client.ready)
    latest = up.client.latest_checkpoint()
    assert (latest.id, latest.step) == (checkpoint_id, int(step))
    jobs = {job.name: job for job in up.client.jobs()}
    assert set(jobs) == {"demo: training", "demo: evaluation"}
    assert {job.state for job in jobs.values()} == {JobState.SUCCEEDED}
    assert jobs["demo: training"].latest_checkpoint == checkpoint_id


@pytest.mark.slow
@pytest.mark.timeout(DEMO_SECONDS + 120)
def test_a_demo_of_a_search_ends_with_a_trained_path_within_the_limit_and_its_pictures(
    start: Any, wait_for: Any
) -> None:
    output = _output_to_the_end(start("demo", "--search"), wait_for)
    pattern = r"the best of \d+ paths is (\d+): .*, ([\d,]+) multiply-adds of at most ([\d,]+)"
    path, macs, limit = (text.replace(",", "") for text in _printed(output, pattern))
    assert int(macs) <= int(limit)
    (percent,) = _printed(output, r"trained alone, it has a top-1 error of ([\d.]+) %")
    assert 0 <= float(percent) < 12
    pattern = r"(\S+), (\S+), (\S+) and (\S+), the pictures of the search, are in (.+)"
    *names, folder = _printed(output, pattern)
    assert names == ["search.png", "generations.png", "front.png", "choices.png"]
    for name in names:
        with Image.open(Path(folder) / name, formats=["PNG"]) as picture:
            picture.load()
    up = start("up")
    wait_for(up.client.ready)
    jobs = {job.name: job for job in up.client.jobs()}
    assert set(jobs) == {"demo: supernet", "demo: search", "demo: found network"}
    assert {job.state for job in jobs.values()} == {JobState.SUCCEEDED}
    best = jobs["demo: search"].result["best"]
    assert (best["blocks"], best["multiply_adds"]) == (path, int(macs))
    assert jobs["demo: found network"].variant == f"b{path}"


def _output_to_the_end(demo: Command, wait_for: Any) -> str:
    """All that a demo prints; fails if its exit status is not 0."""
    wait_for(lambda: demo.process.poll() is not None, DEMO_SECONDS)
    assert demo.process.returncode == 0, demo.output
    _printed(demo.output, rf"(The data is kept in {re.escape(str(demo.folder))}); .*")
    return demo.output


def _printed(output: str, pattern: str) -> tuple[str, ...]:
    """The groups of the only line that is as the pattern says."""
    (found,) = re.finditer(f"^{pattern}$", output, re.MULTILINE)
    return found.groups()
