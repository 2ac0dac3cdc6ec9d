"""A rank's process, between the fork and its work."""

import faulthandler
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from setproctitle import setproctitle

from workers.launcher.kernel import die_with_parent
from workers.launcher.local.signal_pipe import SignalPipe
from workers.launcher.local.spawn_request import SpawnRequest

RankMain = Callable[[Path], int]
DUMP_SIGNAL = signal.SIGUSR1
"""Has a rank write the stacks of its threads, whatever it is in."""


def fork_rank(order: SpawnRequest, rank: int, main: RankMain, wakeup: SignalPipe) -> int:
    """Fork a rank that runs `main(order.spec_path)` and ends with its parent; its pid."""
    supervisor = os.getpid()
    # A SIGTERM before the child's handlers are its own would be lost in those of the supervisor.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    pid = os.fork()
    if pid == 0:
        _be_rank(order, rank, main, wakeup, supervisor)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return pid


def _be_rank(
    order: SpawnRequest, rank: int, main: RankMain, wakeup: SignalPipe, supervisor: int
) -> NoReturn:
    status = 1
    try:
        die_with_parent(supervisor)
        setproctitle(f"trainyard: rank {rank} of {order.job_id}")
        _write_to(order.log_path)
        faulthandler.register(DUMP_SIGNAL)
        wakeup.close()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.environ.update(order.environments[rank])
        _use_threads(order.threads)
        status = main(order.spec_path)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Not sys.exit: the stack above is the supervisor's.
        os._exit(status)


def _write_to(log_path: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(log)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _use_threads(threads: int | None) -> None:
    # The warm process has imported torch; whatever has not needs no threads of it.
    torch = sys.modules.get("torch")
    if torch is not None and threads is not None:
        torch.set_num_threads(threads)
