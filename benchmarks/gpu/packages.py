"""`python -m benchmarks.gpu.packages`: install with pip what `make gpu` lacks, or has too old.

What is installed stays. Exit codes: pip's, and 2 for a Python or a torch that is too old.
"""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
_EXTRAS = ("server", "workers", "postgres")
_TESTS = ("pytest>=8.3", "pytest-timeout>=2.3")
_OLDEST_PYTHON, _OLDEST_TORCH = (3, 11), (2, 11)


def missing(requirements: list[str]) -> list[str]:
    """The requirements `name[extra]>=version` of which no such version is installed."""
    return [each for each in requirements if not _is_met(each)]


def requirements_of(project: Path) -> list[str]:
    """What the server and the workers need, and the tests of CUDA."""
    # Not of Python 3.10, which is refused by name.
    import tomllib

    declared = tomllib.loads(project.read_text())["project"]
    extras = declared["optional-dependencies"]
    return [*declared["dependencies"], *(r for name in _EXTRAS for r in extras[name]), *_TESTS]


def main() -> int:
    """Refuse what is too old, else install what is missing."""
    if sys.version_info < _OLDEST_PYTHON:
        return _refuse(f"Python {sys.version.split()[0]} is too old: name a newer one by PYTHON=")
    try:
        torch = version("torch")
    except PackageNotFoundError:
        return _refuse(f"{sys.executable} has no torch: install it, or name another by PYTHON=")
    if tuple(_numbers(torch)) < _OLDEST_TORCH:
        return _refuse(f"torch {torch} is too old: 2.11 or newer is needed")
    names = missing(requirements_of(_PROJECT))
    if not names:
        return 0
    sys.stderr.write(f"installing {', '.join(names)}\n")
    # The torch of this machine fits its driver: no package may bring another.
    pinned = [f"torch=={torch}"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *names, *pinned]
    return subprocess.run(command, check=False).returncode


def _is_met(requirement: str) -> bool:
    name, _, oldest = requirement.partition(">=")
    try:
        installed = version(name.split("[")[0].strip())
    except PackageNotFoundError:
        return False
    return _numbers(installed) >= _numbers(oldest)


def _numbers(text: str) -> list[int]:
    # As far as they are numbers: 2.11.0+cu128 is 2.11.0.
    return [int(part) for part in re.split(r"[^\d.]", text)[0].split(".") if part]


def _refuse(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
