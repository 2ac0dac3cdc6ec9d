"""The benchmarks of a folder, each run in a process of its own."""

import ast
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks import page, record
from benchmarks.goals import GOALS, Goal
from benchmarks.machine import this_machine, versions
from benchmarks.process_tree import run_tree
from benchmarks.record import Record
from benchmarks.report import Figure, Section

_LIMIT_SECONDS = 4 * 3600
_SECTION = TypeAdapter(Section)


class BenchmarkFailed(Exception):
    """A benchmark ended without a section; its own output says why."""


@dataclass(frozen=True)
class Suite:
    """A package whose modules with a function `measure() -> Section` are its benchmarks.

    The results are `page` and a JSON file beside it.
    """

    package: str
    folder: Path
    page: Path
    head: str
    goals: tuple[Goal, ...] = GOALS

    @property
    def records(self) -> Path:
        """The JSON file beside the page."""
        return self.page.with_suffix(".json")

    def names(self) -> list[str]:
        """The benchmarks, by a look at the source: none is imported."""
        return sorted(path.stem for path in self.folder.glob("*.py") if _has_measure(path))

    def run(self, name: str) -> Record:
        """Measure in a new process, which does not outlive the call; raises BenchmarkFailed."""
        machine, began = this_machine(), time.monotonic()
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            out = Path(folder) / "section.json"
            command = [
                sys.executable,
                "-m",
                "benchmarks.process",
                f"{self.package}.{name}",
                str(out),
            ]
            try:
                code = run_tree(command, _LIMIT_SECONDS)
            except TimeoutError as error:
                raise BenchmarkFailed(str(error)) from error
            if code or not out.exists():
                raise BenchmarkFailed(f"{name} ended with {code} and no result")
            section = _SECTION.validate_json(out.read_bytes())
        return Record(
            date=datetime.now(UTC).replace(microsecond=0),
            command=f"python -m {self.package} {name}",
            seconds=round(time.monotonic() - began, 1),
            machine=machine,
            versions=versions(),
            section=section,
        )

    def keep(self, name: str, result: Record, elsewhere: dict[str, Figure]) -> None:
        """Put the result in the place of the benchmark's last one, and draw the page again."""
        records = record.read_if_any(self.records)
        records[name] = result
        record.write(self.records, records)
        self.page.write_text(page.draw(self.head, records, elsewhere, self.goals))


def _has_measure(path: Path) -> bool:
    tree = ast.parse(path.read_text())
    return any(isinstance(node, ast.FunctionDef) and node.name == "measure" for node in tree.body)
