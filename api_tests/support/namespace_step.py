"""The engine's own process for hosts that are namespaces, as srun is that of Slurm.

`python -m api_tests.support.namespace_step VARIABLE HOSTS COMMAND…` runs COMMAND in each of the
namespaces, with its number in VARIABLE. What comes in goes to all; what they write goes out, and
`gone NUMBER STATUS` for one that has ended badly. Once its input ends, theirs do.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

GONE = "gone"


def main(variable: str, hosts: str, *command: str) -> None:
    """Return once all have ended."""
    processes = [
        subprocess.Popen(
            ["ip", "netns", "exec", host, *command],
            env=os.environ | {variable: str(number)},
            stdin=subprocess.PIPE,
            bufsize=0,
        )
        for number, host in enumerate(hosts.split(","))
    ]
    threading.Thread(target=_forward, args=(processes,), daemon=True).start()
    waits = [
        threading.Thread(target=_wait, args=(number, process))
        for number, process in enumerate(processes)
    ]
    for wait in waits:
        wait.start()
    for wait in waits:
        wait.join()


def _forward(processes: "Sequence[subprocess.Popen[bytes]]") -> None:
    for line in sys.stdin.buffer:
        for process in processes:
            assert process.stdin is not None
            with suppress(BrokenPipeError):
                process.stdin.write(line)
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()


def _wait(number: int, process: "subprocess.Popen[bytes]") -> None:
    # Below the size that a pipe takes at once, as the lines of the hosts are.
    if status := process.wait():
        os.write(1, f"{GONE} {number} {status}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
    # The thread that reads the input may be in the middle of it.
    os._exit(0)
