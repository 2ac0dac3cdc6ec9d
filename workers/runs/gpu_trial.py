"""Tries torch on GPUs: `python -m workers.runs.gpu_trial AGENT_PID INDEX=CUDA_NAME...`.

It prints by index why torch cannot use a GPU, as JSON, null if it can.
"""

import json
import os
import sys

from service.contract.kernel import die_with_parent
from workers.training.device_check import gpu_problem


def main() -> int:
    """Try each GPU in a fork of its own: one process of CUDA sees one instance (MIG) alone."""
    die_with_parent(int(sys.argv[1]))
    named = [argument.split("=", 1) for argument in sys.argv[2:]]
    problems = {index: _problem_of(cuda_name) for index, cuda_name in named}
    os.write(1, json.dumps(problems, allow_nan=False).encode())
    return 0


def _problem_of(cuda_name: str) -> str | None:
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        # os._exit: what torch would do at an exit is not for a fork.
        try:
            os.environ["CUDA_VISIBLE_DEVICES"] = cuda_name
            os.write(write_end, json.dumps(gpu_problem(), allow_nan=False).encode())
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    problem: str | None = json.loads(text) if text else "torch ended with a crash on it"
    return problem


if __name__ == "__main__":
    sys.exit(main())
