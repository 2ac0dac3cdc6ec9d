"""Work in processes of its own ends with them, whatever becomes of one."""

import subprocess
import sys

PROGRAM = """
import os, signal
from workers.data.errors import InvalidData
from workers.data.processes import in_processes

def work(number):
    if number == 40:
        os.kill(os.getpid(), signal.SIGKILL)
    # More than a pipe holds: the others wait until their results are taken.
    return bytes(1 << 20)

try:
    for _ in in_processes(work, range(400), 4):
        pass
except InvalidData as error:
    print(error)
"""


def test_a_process_that_is_killed_ends_the_work_although_the_others_wait() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, timeout=30
    )
    assert done.stdout.startswith("a process was killed while it read an image")
