"""The program of a suite of benchmarks: which run, what is printed, what the exit code says."""

import argparse
import sys
import time
from pathlib import Path

from benchmarks import record
from benchmarks.comparison import compare
from benchmarks.record import Record, UnreadableRecords
from benchmarks.report import Figure
from benchmarks.suite import BenchmarkFailed, Suite


def run(suite: Suite, arguments: list[str], elsewhere: Path | None = None) -> int:
    """Run the named benchmarks or all, and compare them with an earlier run where one is named.

    `elsewhere` is the record of the benchmarks for CUDA, whose goals the page shows too.
    """
    names = suite.names()
    parser = argparse.ArgumentParser(prog=f"python -m {suite.package}")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--compare", type=Path, metavar="FILE", help="the JSON of an earlier run")
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.names) - set(names)):
        return _refuse(f"no benchmark {', '.join(unknown)}: there are {', '.join(names)}")
    try:
        # Read before the run: the file may be the one that the run writes.
        before = record.read(chosen.compare) if chosen.compare else None
        others = _figures_for_cuda(elsewhere)
        # The results are put beside those that it has.
        record.read_if_any(suite.records)
    except UnreadableRecords as error:
        return _refuse(str(error))
    results, failed = _measured(suite, chosen.names or names, others)
    if before is not None:
        sys.stdout.write("\n".join([f"Against {chosen.compare}:", *compare(before, results), ""]))
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return 1 if failed else 0


def _measured(
    suite: Suite, names: list[str], elsewhere: dict[str, Figure]
) -> tuple[dict[str, Record], list[str]]:
    """The results by name, and the names of those that failed."""
    results: dict[str, Record] = {}
    failed = []
    began = time.monotonic()
    for name in names:
        sys.stdout.write(f"{name} …\n")
        sys.stdout.flush()
        try:
            results[name] = suite.run(name)
        except BenchmarkFailed as error:
            failed.append(name)
            sys.stderr.write(f"{name}: {error}\n")
            continue
        suite.keep(name, results[name], elsewhere)
        sys.stdout.write(_summary(results[name]))
    sys.stdout.write(f"{len(results)} benchmarks in {time.monotonic() - began:.0f} s\n")
    return results, failed


def _summary(result: Record) -> str:
    lines = [" | ".join(row) for row in (result.section.columns, *result.section.rows)]
    ends = [*result.section.decisions, *result.section.notes, f"{result.seconds:.0f} s", ""]
    return "\n".join([*(f"  {line}" for line in (*lines, *ends)), ""])


def _figures_for_cuda(path: Path | None) -> dict[str, Figure]:
    records = {} if path is None else record.read_if_any(path)
    return {f"gpu.{key}": figure for key, figure in record.figures(records).items()}


def _refuse(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 2
