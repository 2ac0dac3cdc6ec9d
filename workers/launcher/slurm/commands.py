"""Slurm's commands, which are all that is known of it here."""

import shutil
import subprocess
from collections.abc import Sequence

from workers.launcher.base import CannotLaunch

_SECONDS = 60.0
COMMANDS = ("srun", "scontrol", "squeue", "scancel", "sinfo")


class SlurmFailed(Exception):
    """A command of Slurm failed; the message is its own."""


def require_commands() -> None:
    """Raise CannotLaunch if one of them is not installed."""
    missing = [name for name in COMMANDS if shutil.which(name) is None]
    if missing:
        raise CannotLaunch(
            f"launcher: slurm needs {', '.join(missing)} on the PATH: install Slurm's client "
            "commands on this node (Debian: slurm-client)"
        )


def answer_of(command: Sequence[str]) -> list[str]:
    """The lines that a command prints; raises SlurmFailed."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SlurmFailed(f"{command[0]}: {error}") from error
    if ran.returncode != 0:
        raise SlurmFailed(f"{command[0]}: {ran.stderr.strip() or ran.returncode}")
    return [line.strip() for line in ran.stdout.splitlines() if line.strip()]
