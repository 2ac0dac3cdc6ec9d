"""`python -m workers.runs SPEC.json`: run one attempt by hand."""

import sys
from pathlib import Path

from workers.runs.rank import run_rank


def main() -> int:
    """The exit status of the rank."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        sys.stderr.write("usage: python -m workers.runs SPEC.json (an attempt's spec.json)\n")
        return 2
    return run_rank(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
