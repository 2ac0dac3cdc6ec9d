"""The program that runs benchmarks: what it keeps, what it prints, what its exit code says."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.program import run
from benchmarks.suite import Suite

ROOT = Path(__file__).parents[2]
SPEED = """
from benchmarks.report import Figure, Section


def measure() -> Section:
    return Section(
        title="Speed, of two",
        says="It is fast.",
        columns=("what", "seconds"),
        rows=(("ours", "1"),),
        figures=(
            Figure("ratio", "ours to theirs", {ratio}, "higher", goal=1.35),
            Figure("step", "a step", 1.0, "lower", unit="s"),
        ),
    )
"""
ENDLESS = """
import os, pathlib, signal, subprocess, tempfile


def measure():
    with tempfile.TemporaryDirectory(dir=os.environ["FOLDER"]):
        server = subprocess.Popen(["sleep", "600"])
        pathlib.Path(os.environ["FIFO"]).write_text(f"{os.getpid()} {server.pid}")
        signal.pause()
"""
PROGRAM = """
import os, pathlib, sys
from benchmarks.program import run
from benchmarks.suite import Suite

folder = pathlib.Path(sys.argv[1])
sys.exit(run(Suite("rows", folder, folder.parent / "benchmarks.md", ""), ["endless"]))
"""
BROKEN = "def measure():\n    raise RuntimeError('no compiler')\n"


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A package `rows` with one benchmark that works, one that fails, and a module that is none."""
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "speed.py").write_text(SPEED.format(ratio=1.5))
    (folder / "broken.py").write_text(BROKEN)
    (folder / "photos.py").write_text("import not_installed\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    return Suite("rows", folder, tmp_path / "benchmarks.md", "# Benchmarks\n")


def test_a_module_with_a_measure_function_is_a_benchmark_and_others_are_not(suite: Suite) -> None:
    assert suite.names() == ["broken", "speed"]


def test_a_run_is_kept_on_the_page_and_in_the_json_beside_it(suite: Suite) -> None:
    assert run(suite, ["speed"]) == 0
    page = suite.page.read_text()
    assert "[ours to theirs](#speed-of-two) | at least 1.35 | 1.5 | met |" in page
    assert "- ours to theirs: 1.5, goal at least 1.35: met" in page
    kept = json.loads(suite.records.read_text())["speed"]
    assert kept["command"] == "python -m rows speed"
    assert kept["machine"]["cores"] >= 1
    assert kept["versions"]["torch"]
    assert kept["date"].endswith("Z")
    assert kept["section"]["figures"] == [
        {
            "key": "ratio",
            "what": "ours to theirs",
            "value": 1.5,
            "better": "higher",
            "unit": "",
            "goal": 1.35,
            "is_met": True,
        },
        {
            "key": "step",
            "what": "a step",
            "value": 1.0,
            "better": "lower",
            "unit": "s",
            "goal": None,
            "is_met": None,
        },
    ]


def test_a_second_run_takes_the_place_of_the_first_and_says_what_became_worse(
    suite: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    run(suite, ["speed"])
    (suite.folder / "speed.py").write_text(SPEED.format(ratio=1.2))
    assert run(suite, ["speed", "--compare", str(suite.records)]) == 0
    assert suite.page.read_text().count("## Speed, of two") == 1
    assert "goal at least 1.35: MISSED" in suite.page.read_text()
    assert "worse   speed.ratio: 1.5 -> 1.2 (-20%)" in capsys.readouterr().out


@pytest.mark.parametrize("broken", [BROKEN, SPEED.format(ratio="float('nan')")])
def test_a_benchmark_that_fails_costs_its_own_section_alone(
    suite: Suite, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    (suite.folder / "broken.py").write_text(broken)
    assert run(suite, []) == 1
    assert "failed: broken" in capsys.readouterr().err
    assert "## Speed, of two" in suite.page.read_text()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), ("{", "Invalid JSON"), ('{"speed": {"date": 1}}', "speed.command")],
)
def test_a_file_to_compare_with_that_is_no_record_is_refused_before_anything_runs(
    suite: Suite,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    reason: str,
) -> None:
    file = tmp_path / "old.json"
    if content is not None:
        file.write_text(content)
    assert run(suite, ["speed", "--compare", str(file)]) == 2
    error = capsys.readouterr().err
    assert str(file) in error
    assert reason in error
    assert not suite.records.exists()


def test_a_file_of_results_that_cannot_be_read_is_refused_before_anything_runs(
    suite: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    # As a run that was killed while it wrote has left it.
    suite.records.write_text('{"speed": {')
    assert run(suite, ["speed"]) == 2
    assert f"{suite.records} is no record" in capsys.readouterr().err


def test_a_name_that_is_no_benchmark_is_refused_with_the_names_there_are(
    suite: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(suite, ["spead"]) == 2
    assert "no benchmark spead: there are broken, speed" in capsys.readouterr().err


@pytest.fixture
def endless(suite: Suite, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """A program whose benchmark has begun, and the ids of the benchmark and of its server."""
    (suite.folder / "endless.py").write_text(ENDLESS)
    fifo, folder = tmp_path / "begun", tmp_path / "temporary"
    os.mkfifo(fifo)
    folder.mkdir()
    environment = os.environ | {"FIFO": str(fifo), "FOLDER": str(folder), "TMPDIR": str(folder)}
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(suite.folder)],
        env=environment,
        stdout=subprocess.DEVNULL,
        # Of a shell's background job and under nohup they are ignored.
        preexec_fn=_heed_signals,
    )
    processes = [int(process) for process in fifo.read_text().split()]
    try:
        yield program, processes
    finally:
        program.kill()
        program.wait()
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_ends_the_program_ends_its_benchmark_and_the_servers_of_that(
    endless: tuple[subprocess.Popen[bytes], list[int]], ended_by: int, tmp_path: Path
) -> None:
    program, processes = endless
    program.send_signal(ended_by)
    assert program.wait(60) == 128 + ended_by
    assert not any(map(_runs, processes))
    assert not list((tmp_path / "temporary").iterdir())


def _heed_signals() -> None:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _runs(process: int) -> bool:
    """A process that nobody has waited for yet is none."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
