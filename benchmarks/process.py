"""`python -m benchmarks.process MODULE OUT`: the process that one benchmark has to itself."""

import sys
from importlib import import_module
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.process_tree import exit_on_sigterm
from benchmarks.report import Section


def measure_to(module: str, out: Path) -> None:
    """Have the module measure, and write its section to `out` as JSON."""
    section: Section = import_module(module).measure()
    out.write_bytes(TypeAdapter(Section).dump_json(section))


if __name__ == "__main__":
    exit_on_sigterm()
    measure_to(sys.argv[1], Path(sys.argv[2]))
