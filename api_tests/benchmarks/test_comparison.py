"""What a comparison of two runs says of each figure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from benchmarks.comparison import compare
from benchmarks.machine import Machine
from benchmarks.record import Record
from benchmarks.report import Figure, Section

MACHINE = Machine("AMD EPYC", 2, 24, 0.1)


def a_record(figures: Sequence[Figure], machine: Machine = MACHINE) -> Record:
    section = Section("Step", "It steps.", ("what",), (("step",),), figures=tuple(figures))
    date = datetime(2026, 1, 1, tzinfo=UTC)
    return Record(date, "python -m benchmarks step", 1.0, machine, {"torch": "2.14"}, section)


STALL = Figure("stall", "stall", 10.0, "lower", unit="ms")
RATE = Figure("rate", "images a second", 100.0, "higher", unit="/s")


@pytest.mark.parametrize(
    ("before", "value", "line"),
    [
        (STALL, 12.0, "worse   step.stall: 10 ms -> 12 ms (+20%)"),
        (STALL, 8.0, "better  step.stall: 10 ms -> 8 ms (-20%)"),
        (RATE, 80.0, "worse   step.rate: 100 /s -> 80 /s (-20%)"),
        (RATE, 150.0, "better  step.rate: 100 /s -> 150 /s (+50%)"),
        (replace(STALL, value=0.0), 1.0, "worse   step.stall: 0 ms -> 1 ms (+100%)"),
    ],
)
def test_a_figure_that_changed_by_more_than_a_tenth_is_better_or_worse(
    before: Figure, value: float, line: str
) -> None:
    after = replace(before, value=value)
    lines = compare({"step": a_record([before])}, {"step": a_record([after])})
    assert lines == [line, "1 of 1 figures changed by more than 10%"]


def test_a_figure_within_a_tenth_is_no_line() -> None:
    after = [replace(STALL, value=10.9), replace(RATE, value=91)]
    lines = compare({"step": a_record([STALL, RATE])}, {"step": a_record(after)})
    assert lines == ["0 of 2 figures changed by more than 10%"]


def test_the_worst_change_comes_first() -> None:
    after = [replace(STALL, value=12), replace(RATE, value=50)]
    lines = compare({"step": a_record([STALL, RATE])}, {"step": a_record(after)})
    assert [line.split(":")[0] for line in lines[:2]] == ["worse   step.rate", "worse   step.stall"]


def test_figures_that_came_or_went_are_named_and_those_of_benchmarks_that_did_not_run_are_not() -> (
    None
):
    before = {"step": a_record([STALL]), "queue": a_record([RATE])}
    lines = compare(before, {"step": a_record([RATE])})
    assert lines == [
        "came    step.rate: 100 /s",
        "went    step.stall: 10 ms",
        "0 of 0 figures changed by more than 10%",
    ]


def test_a_figure_in_another_unit_is_not_compared() -> None:
    after = replace(STALL, value=0.01, unit="s")
    lines = compare({"step": a_record([STALL])}, {"step": a_record([after])})
    assert lines == [
        "came    step.stall: 0.01 s",
        "went    step.stall: 10 ms",
        "0 of 0 figures changed by more than 10%",
    ]


def test_a_run_on_another_machine_is_named_before_its_figures() -> None:
    other = replace(MACHINE, processor="Intel Xeon")
    lines = compare({"step": a_record([RATE], other)}, {"step": a_record([RATE])})
    assert lines[0].startswith("step: measured on another machine: Intel Xeon, 2 cores")
