"""Ranks that have torch, as the trainer has."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import torch

from workers.attempt_dir import AttemptDir
from workers.runs.rank import run_rank


def tells_threads(spec_path: Path) -> int:
    """Says how many threads torch computes with."""
    body = {"message": str(torch.get_num_threads())}
    AttemptDir(spec_path.parent).append("note", body, datetime.now(UTC))
    return 0


def trains_with_grandchildren(spec_path: Path) -> int:
    """Trains, with a child in a session of its own and an orphan in another."""
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    subprocess.run(["sh", "-c", "setsid sleep 601 &"], check=True)
    return run_rank(spec_path)
