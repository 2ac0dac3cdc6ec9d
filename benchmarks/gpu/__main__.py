"""`python -m benchmarks.gpu [--cpu] [NAME …]`: the tests of CUDA, then its benchmarks.

The results are docs/benchmarks-gpu.md and .json. With `--cpu` the same runs on the CPU, small, and
nothing is kept. Exit codes: 0, 1 where a test or a benchmark failed, 2 without a CUDA device.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.goals import GPU_GOALS
from benchmarks.process_tree import run_tree
from benchmarks.program import run
from benchmarks.suite import Suite

_FOLDER = Path(__file__).parent
_ROOT = _FOLDER.parents[1]
_LIMIT_SECONDS = 1800
_PAGE = _ROOT / "docs" / "benchmarks-gpu.md"
_HEAD = """# Benchmarks on CUDA

Measured by `make gpu`, which runs the tests of CUDA first. Each section says on what device.
"""


def main(arguments: list[str]) -> int:
    """Tests, then benchmarks; all of them run, whatever failed before."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu")
    parser.add_argument("--cpu", action="store_true", help="run the same on the CPU, small")
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks, without the tests")
    chosen = parser.parse_args(arguments)
    on_cpu, names = chosen.cpu, chosen.names
    if on_cpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif not _has_cuda():
        sys.stderr.write(
            "torch finds no CUDA device: nothing was measured. --cpu (make gpu CPU=1) runs the "
            "same tests and benchmarks on the CPU, small.\n"
        )
        return 2
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    tested = 0 if names else _test("not gpu" if on_cpu else "gpu")
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        page = Path(folder, "page.md") if on_cpu else _PAGE
        measured = run(Suite("benchmarks.gpu", _FOLDER, page, _HEAD, GPU_GOALS), names)
    return 1 if tested or measured else 0


def _test(marks: str) -> int:
    # A warning of another version of a package is no failure here.
    options = ["-m", marks, "-q", "-W", "default", "--durations", "5"]
    tests = [str(_ROOT / "api_tests" / "gpu"), *options]
    command = [sys.executable, "-m", "pytest", *tests]
    try:
        return run_tree(command, _LIMIT_SECONDS, folder=_ROOT)
    except TimeoutError as error:
        sys.stderr.write(f"the tests were ended: {error}\n")
        return 1


def _has_cuda() -> bool:
    # In a process of its own: this one starts others, and is to have no context.
    ask = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", ask], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
