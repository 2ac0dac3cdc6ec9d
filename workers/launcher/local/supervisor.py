"""The parent of an attempt's ranks: it ends when all below it has ended, and no sooner."""

import math
import os
import signal
import socket
import threading
import time
from contextlib import suppress

from setproctitle import setproctitle

from workers.launcher.kernel import adopt_orphans, boot_clock, die_with_parent
from workers.launcher.local.ranks import DUMP_SIGNAL, RankMain, fork_rank
from workers.launcher.local.signal_pipe import SignalPipe
from workers.launcher.local.spawn_request import SpawnRequest
from workers.launcher.local.sweep import sweep
from workers.launcher.process_exit import ProcessExit, RankExit

TERMINATE, DUMP, KILL = b"terminate", b"dump", b"kill"
HELD_UNTIL = b"held until "
"""The rest is a time by `boot_clock`: who hears no later one by then ends the tree."""

_LOOK_SECONDS = 1.0
"""How soon a machine that slept sees that its lease has run out."""
_DUMP_SECONDS = 0.1
"""Between two ranks, so that the stacks of one do not run into those of the next."""


def supervise(order: SpawnRequest, channel: socket.socket, main: RankMain, warm_pid: int) -> None:
    """Run an order's ranks to their end, obey the agent's words, sweep, and say how they ended.

    Everything below is killed when one rank fails, at the word KILL, when the agent (the other
    end of `channel`) or the warm process has died, and when the agent has not said in time that it
    still holds the lease: it may be stopped, and the job another worker's.
    """
    setproctitle(f"trainyard: supervisor of {order.job_id}")
    adopt_orphans()
    wakeup = SignalPipe()
    # SIGTERM, and not SIGKILL: somebody must live to sweep.
    die_with_parent(warm_pid, signal.SIGTERM)
    supervisor = _Supervisor(order, channel, wakeup, warm_pid)
    try:
        exit_ = supervisor.run(main)
    except OSError as error:
        sweep()
        exit_ = ProcessExit(problem=f"the ranks could not be started: {error}")
    # Nobody is left to hear it if the agent has died.
    with suppress(OSError):
        channel.send(exit_.model_dump_json().encode())


class _Supervisor:
    def __init__(
        self, order: SpawnRequest, channel: socket.socket, wakeup: SignalPipe, warm_pid: int
    ) -> None:
        self._order, self._channel, self._wakeup = order, channel, wakeup
        self._warm_pid = warm_pid
        self._ranks: dict[int, int] = {}
        self._ended: list[RankExit] = []
        self._held_until = math.inf

    def run(self, main: RankMain) -> ProcessExit:
        if self._is_too_late():
            return ProcessExit(problem="ended before the ranks were started", overdue=True)
        for rank in range(len(self._order.environments)):
            self._ranks[fork_rank(self._order, rank, main, self._wakeup)] = rank
        while self._ranks:
            left_seconds = max(0.0, self._held_until - boot_clock())
            has_word = self._wakeup.wait(self._channel, min(_LOOK_SECONDS, left_seconds))
            word = self._channel.recv(64) if has_word else None
            self._reap()
            failed = any(rank.status for rank in self._ended)
            if failed or word in (KILL, b""):
                break
            if os.getppid() != self._warm_pid:
                self._note(sweep())
                return ProcessExit(ranks=tuple(self._ended), problem="the warm process ended")
            if word is not None and word.startswith(HELD_UNTIL):
                self._held_until = float(word.removeprefix(HELD_UNTIL))
            elif boot_clock() >= self._held_until:
                self._note(sweep())
                return ProcessExit(ranks=tuple(self._ended), overdue=True)
            if word == TERMINATE:
                for pid in self._ranks:
                    os.kill(pid, signal.SIGTERM)
            if word == DUMP:
                self._dump()
        self._note(sweep())
        return ProcessExit(ranks=tuple(self._ended))

    def _is_too_late(self) -> bool:
        # The order waits while the warm process is loading, and the agent goes on.
        while self._wakeup.wait(self._channel, 0.0):
            word = self._channel.recv(64)
            if word in (TERMINATE, KILL, b""):
                return True
            if word.startswith(HELD_UNTIL):
                self._held_until = float(word.removeprefix(HELD_UNTIL))
        return boot_clock() >= self._held_until

    def _dump(self) -> None:
        for pid, rank in self._ranks.items():
            # By another thread: a volume that hangs must not keep the end away.
            title = threading.Thread(target=self._write_title, args=(rank,), daemon=True)
            title.start()
            title.join(_DUMP_SECONDS)
            os.kill(pid, DUMP_SIGNAL)
            time.sleep(_DUMP_SECONDS)

    def _write_title(self, rank: int) -> None:
        # On a full disk the stacks are lost, and the end is not.
        with suppress(OSError), self._order.log_path.open("a") as log:
            log.write(f"the stacks of rank {rank}:\n")

    def _reap(self) -> None:
        # Orphans that ended are reaped too, else the list of processes fills up.
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._note({pid: status})

    def _note(self, statuses: dict[int, int]) -> None:
        for pid, status in statuses.items():
            if pid in self._ranks:
                self._ended.append(RankExit(rank=self._ranks.pop(pid), status=status))
