"""`python -m benchmarks [NAME …] [--compare FILE]`: measure, print, keep in docs/benchmarks.md.

Exit codes: 0, 1 where a benchmark failed, 2 for a name that is none or a file that is no record,
128 + n where signal n has ended it, and with it the processes of its benchmark.
"""

import sys
from pathlib import Path

from benchmarks.program import run
from benchmarks.suite import Suite

_FOLDER = Path(__file__).parent
_DOCS = _FOLDER.parent / "docs"
_HEAD = """# Benchmarks

Every figure is a ratio of two things measured side by side in one run, by `make bench` (or
`python -m benchmarks NAME …`). Each section says on what machine and when; `benchmarks.json` has
the same figures for programs, and `make bench COMPARE=FILE` prints what changed by more than 10 %.
"""
SUITE = Suite("benchmarks", _FOLDER, _DOCS / "benchmarks.md", _HEAD)

if __name__ == "__main__":
    sys.exit(run(SUITE, sys.argv[1:], elsewhere=_DOCS / "benchmarks-gpu.json"))
