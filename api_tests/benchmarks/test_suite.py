"""The program that runs benchmarks: what it keeps, what it prints, what its exit code says."""

import json
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
