"""Forks a rank and prepares its process: log file, environment, signals, threads."""

import faulthandler
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from setproctitle import setproctitle

from service.contract.kernel import die_with_parent
from service.contract.process_title import process_title
from workers.launcher.local.signal_pipe import SignalPipe
from workers.launcher.local.spawn_request import SpawnRequest
from workers.rendezvous import MasterSocket

# A link in the volume leads to a file that is no log, and opening a pipe waits for its reader.
_LOG_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
RankMain = Callable[[Path], int]
DUMP_SIGNAL = signal.SIGUSR1
"""Makes a rank write the stacks of its threads to its log, whatever code it runs."""


def fork_rank(
    request: SpawnRequest,
    rank: int,
    main: RankMain,
    signal_pipe: SignalPipe,
    master: MasterSocket | None,
) -> int:
    """Fork a rank that runs `main(request.spec_path)` and ends with its parent; returns its pid.

    `master` is where several ranks meet; rank 0 keeps it.
    """
    supervisor = os.getpid()
    # Until the child has its own handlers, a SIGTERM would be lost in those of the supervisor.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    pid = os.fork()
    if pid == 0:
        _run_rank(request, rank, main, signal_pipe, master, supervisor)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return pid


def _run_rank(
    request: SpawnRequest,
    rank: int,
    main: RankMain,
    signal_pipe: SignalPipe,
    master: MasterSocket | None,
    supervisor: int,
) -> NoReturn:
    status = 1
    try:
        die_with_parent(supervisor)
        setproctitle(process_title(f"rank-{request.number_of(rank)}", request.job_id))
        _redirect_output(request.log_path)
        faulthandler.register(DUMP_SIGNAL)
        signal_pipe.close()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.environ.update(request.environments[rank])
        if master is not None:
            os.environ.update(master.environment(rank))
            if rank > 0:
                master.close()
        _use_threads(request.threads)
        status = main(request.spec_path)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # sys.exit would unwind the stack of the supervisor, of which this process is a fork.
        os._exit(status)


def _redirect_output(log_path: Path) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    log = os.open(log_path, _LOG_FLAGS, 0o644)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(null)
    os.close(log)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _use_threads(threads: int | None) -> None:
    # If the warm process has not imported torch, there are no threads to limit.
    torch = sys.modules.get("torch")
    if torch is not None and threads is not None:
        torch.set_num_threads(threads)
