"""What a benchmark says, and where it is kept: one section each of `docs/benchmarks.md`."""

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

Every figure is a ratio of two things measured side by side in one run, by `make bench` (or
`python -m benchmarks NAME …`). Each section says on what machine and when.
"""


@dataclass(frozen=True)
class Section:
    """A table, a sentence on what is compared, and the goals with what was reached."""

    title: str
    says: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    verdicts: tuple[str, ...]

    def as_markdown(self, name: str) -> str:
        """The section as it stands in the page."""
        table = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        lines = [f"| {' | '.join(row)} |" for row in table]
        goals = [f"- {decision}" for decision in self.verdicts]
        where = f"`{name}`, {datetime.now(UTC):%Y-%m-%d}, {machine()}."
        return "\n".join([f"## {self.title}", "", self.says, "", *lines, "", *goals, "", where, ""])


def decision(what: str, reached: float, limit: float) -> str:
    """A goal that is an upper limit, and whether it was met."""
    word = "met" if reached <= limit else "MISSED"
    return f"{what}: {reached:.3g}, goal at most {limit:g}: {word}"


def keep(sections: Mapping[str, Section]) -> None:
    """Put sections into the page, each in the place of the one it had."""
    text = PAGE.read_text() if PAGE.exists() else _HEAD
    for name, section in sections.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        block = f"{begin}{section.as_markdown(name)}{end}"
        old = re.search(f"{re.escape(begin)}.*?{re.escape(end)}", text, re.S)
        text = text.replace(old[0], block) if old else f"{text}\n{block}"
    PAGE.write_text(text)


def machine() -> str:
    """The machine in words."""
    memory = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0]
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, torch {version('torch')}, "
        f"load {load:.1f} when it ended"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
