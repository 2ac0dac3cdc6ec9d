"""Ranks whose warm process is loaded only once there is the file that LOADED names."""

import os
import time
from pathlib import Path

from workers.attempt_dir import AttemptDir

while not Path(os.environ["LOADED"]).exists():
    time.sleep(0.01)


def starts(spec_path: Path) -> int:
    """Leaves a file."""
    (AttemptDir(spec_path.parent).folder / "began").touch()
    return 0
