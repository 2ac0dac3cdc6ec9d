"""`python -m benchmarks [NAME …]`: measure, print, and keep in docs/benchmarks.md.

Each benchmark runs in a process of its own, so that none warms or tires the other's.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module

from benchmarks.report import Section, keep

BENCHMARKS = ("checkpoint_stall", "latest", "queue")


def main(names: list[str]) -> int:
    """Run the named ones, or all; 2 for a name that is none."""
    if names[:1] == ["--one"]:
        section: Section = import_module(f"benchmarks.{names[1]}").measure()
        sys.stdout.write(json.dumps(asdict(section)))
        return 0
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.stderr.write(f"no benchmark {', '.join(sorted(unknown))}: {', '.join(BENCHMARKS)}\n")
        return 2
    for name in names or BENCHMARKS:
        command = [sys.executable, "-m", "benchmarks", "--one", name]
        ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(ran.stdout.splitlines()[-1])
        rows = tuple(tuple(row) for row in found.pop("rows"))
        section = Section(rows=rows, **found)
        keep({name: section})
        sys.stdout.write(section.as_markdown(name) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
