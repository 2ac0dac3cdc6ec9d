"""A worker whose ranks have a clock that jumps: by the seconds in the file TRAINYARD_CLOCK names.

Its agent reads no wall clock but for its log.
"""

import sys
from pathlib import Path

from pydantic_settings import CliApp

from chaos.clock import now
from workers import main
from workers.settings import WorkerSettings


def run_rank(spec_path: Path) -> int:
    """As the trainer's, by that clock."""
    from workers.runs import rank

    rank._now = now
    return rank.run_rank(spec_path)


if __name__ == "__main__":
    sys.exit(main.work(CliApp.run(WorkerSettings), "chaos.clocked_worker:run_rank"))
