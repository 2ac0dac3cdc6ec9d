"""`python -m workers.health [FILE]`: whether the worker that renews this file lives.

A worker with `--health-file FILE` does, see `workers/agent/health_reporter.py`. The answer is for
containers, whose health checks run a command: status 0 or, with a sentence, 1; 2 without a file.
"""

import os
import sys
from pathlib import Path

from service.contract.kernel import boot_clock

LIMIT_SECONDS = 60.0
"""A file that is older is one of a worker that hangs: its longest turn waits 20 s for a server."""
_VARIABLE = "TRAINYARD_HEALTH_FILE"


def renew(path: Path, now: float) -> None:
    """Write that a worker lives at the boot time `now`, in seconds; raises OSError."""
    staged = path.with_name(f".{path.name}.new")
    staged.write_text(f"{now:.3f}\n")
    staged.replace(path)


def problem_of(path: Path, now: float) -> str | None:
    """Why no worker lives by this file at the boot time `now`; None if one does."""
    try:
        age_seconds = now - float(path.read_text())
    except FileNotFoundError:
        return f"{path} is not there: no worker with --health-file {path} runs here"
    except (OSError, ValueError) as error:
        return f"{path} cannot be read: {error}"
    if age_seconds < 0:
        return f"{path} is of a time before the machine booted: start the worker"
    if age_seconds > LIMIT_SECONDS:
        return f"{path} is {age_seconds:.0f} s old: the worker hangs or has been killed; start it"
    return None


def main(arguments: list[str]) -> int:
    """The exit status."""
    named = arguments[0] if len(arguments) == 1 else os.environ.get(_VARIABLE, "")
    if len(arguments) > 1 or not named:
        sys.stderr.write(f"usage: python -m workers.health FILE, or set {_VARIABLE}\n")
        return 2
    problem = problem_of(Path(named), boot_clock())
    if problem is not None:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
