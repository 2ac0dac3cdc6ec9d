"""The supervisor: the parent process of an attempt's ranks, which outlives all its descendants."""

import errno
import math
import os
import signal
import socket
import threading
import time
from collections import deque
from contextlib import suppress

from setproctitle import setproctitle

from service.contract.kernel import become_subreaper, boot_clock, die_with_parent
from service.contract.oom_kills import count_oom_kills
from service.contract.process_title import process_title
from workers.descendants import kill_descendants
from workers.launcher.local.ranks import DUMP_SIGNAL, RankMain, fork_rank
from workers.launcher.local.signal_pipe import SignalPipe
from workers.launcher.local.spawn_request import SpawnRequest
from workers.launcher.process_exit import ProcessExit, RankExit
from workers.rendezvous import MasterSocket

TERMINATE, DUMP, KILL = b"terminate", b"dump", b"kill"
DEADLINE = b"deadline "
"""Followed by a time of `boot_clock` in seconds, at which the ranks are killed."""

_POLL_SECONDS = 1.0
"""The longest wait: after a suspend of the machine, the deadline is checked this soon."""
_DUMP_SECONDS = 0.1
"""The pause after the stacks of each rank, so that those of two ranks do not mix in the log."""


def supervise(
    request: SpawnRequest,
    channel: socket.socket,
    main: RankMain,
    warm_pid: int,
    master: MasterSocket | None = None,
) -> None:
    """Run the ranks of a request to their end, and send their ProcessExit over `channel`.

    `master` is where the ranks of several hosts meet, if the first of them is on this one.

    The agent at the other end of `channel` sends TERMINATE, DUMP, KILL and DEADLINE. All
    descendants are killed when one rank fails, `request.last_ranks_seconds` after one has ended
    well, on KILL, when the agent or the warm process has died, and at the deadline: then the agent
    may be stopped, and another worker may get the job.
    """
    setproctitle(process_title("supervisor", request.job_id))
    become_subreaper()
    signal_pipe = SignalPipe()
    # SIGTERM and not SIGKILL, since this process has to live on to kill its descendants.
    die_with_parent(warm_pid, signal.SIGTERM)
    supervisor = _Supervisor(request, channel, signal_pipe, warm_pid, master)
    try:
        exit_ = supervisor.run(main)
    except OSError as error:
        kill_descendants()
        problem = f"the ranks could not be started: {error}"
        exit_ = ProcessExit(problem=problem, out_of_memory=error.errno == errno.ENOMEM)
    # If the agent has died, the channel is broken and no report is needed.
    with suppress(OSError):
        channel.send(exit_.model_dump_json().encode())


class _Supervisor:
    def __init__(
        self,
        request: SpawnRequest,
        channel: socket.socket,
        signal_pipe: SignalPipe,
        warm_pid: int,
        master: MasterSocket | None,
    ) -> None:
        self._request, self._channel, self._signal_pipe = request, channel, signal_pipe
        self._warm_pid, self._master = warm_pid, master
        self._ranks: dict[int, int] = {}
        self._ended: list[RankExit] = []
        self._deadline = math.inf
        # Of time.monotonic(), so that a suspend of the machine is no silence.
        self._silent_at = math.inf
        # Two counts: a rank may be killed between the last look at the ranks and the newer one.
        self._oom_kills = deque([count_oom_kills()], maxlen=2)

    def run(self, main: RankMain) -> ProcessExit:
        if self._is_ended_before_start():
            return ProcessExit(problem="ended before the ranks were started", overdue=True)
        self._fork_ranks(main)
        while self._ranks:
            self._oom_kills.append(count_oom_kills())
            left_seconds = max(0.0, self._deadline - boot_clock())
            readable = self._signal_pipe.wait(self._channel, min(_POLL_SECONDS, left_seconds))
            command = self._channel.recv(64) if readable else None
            self._reap()
            failed = any(rank.status for rank in self._ended)
            if failed or command in (KILL, b"") or time.monotonic() >= self._silent_at:
                break
            if os.getppid() != self._warm_pid:
                self._record(kill_descendants())
                return ProcessExit(ranks=tuple(self._ended), problem="the warm process ended")
            if command is not None and command.startswith(DEADLINE):
                self._deadline = float(command.removeprefix(DEADLINE))
            elif boot_clock() >= self._deadline:
                self._record(kill_descendants())
                return ProcessExit(ranks=tuple(self._ended), overdue=True)
            if command == TERMINATE:
                for pid in self._ranks:
                    os.kill(pid, signal.SIGTERM)
            if command == DUMP:
                self._dump()
        out_of_memory, silent = self._is_out_of_memory(), self._silent()
        self._record(kill_descendants())
        return ProcessExit(ranks=tuple(self._ended), out_of_memory=out_of_memory, silent=silent)

    def _fork_ranks(self, main: RankMain) -> None:
        count = len(self._request.environments)
        master = self._master
        if count > 1 and not self._request.meets_elsewhere and master is None:
            master = MasterSocket()
        for rank in range(count):
            pid = fork_rank(self._request, rank, main, self._signal_pipe, master)
            self._ranks[pid] = self._request.number_of(rank)
        if master is not None:
            master.close()

    def _silent(self) -> tuple[int, ...]:
        """The ranks that had their time to end after another one, and still run."""
        is_late = time.monotonic() >= self._silent_at
        return tuple(sorted(self._ranks.values())) if is_late else ()

    def _is_out_of_memory(self) -> bool:
        # The counter alone may tell of another attempt, and a user may send SIGKILL too.
        killed = any(rank.is_killed for rank in self._ended)
        return killed and count_oom_kills() > self._oom_kills[0]

    def _is_ended_before_start(self) -> bool:
        # The agent may have sent commands while the warm process was still loading.
        while self._signal_pipe.wait(self._channel, 0.0):
            command = self._channel.recv(64)
            if command in (TERMINATE, KILL, b""):
                return True
            if command.startswith(DEADLINE):
                self._deadline = float(command.removeprefix(DEADLINE))
        return boot_clock() >= self._deadline

    def _dump(self) -> None:
        for pid, rank in self._ranks.items():
            # In another thread, since a write to a hanging volume must not delay the kill.
            title = threading.Thread(target=self._write_title, args=(rank,), daemon=True)
            title.start()
            title.join(_DUMP_SECONDS)
            os.kill(pid, DUMP_SIGNAL)
            time.sleep(_DUMP_SECONDS)

    def _write_title(self, rank: int) -> None:
        # On a full disk only the title is lost.
        with suppress(OSError), self._request.log_path.open("a") as log:
            log.write(f"the stacks of rank {rank}:\n")

    def _reap(self) -> None:
        # Orphans that have ended are reaped as well, so that no zombies accumulate.
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._record({pid: status})

    def _record(self, statuses: dict[int, int]) -> None:
        for pid, status in statuses.items():
            if pid in self._ranks:
                self._ended.append(RankExit(rank=self._ranks.pop(pid), status=status))
                if len(self._ended) == 1:
                    self._silent_at = time.monotonic() + self._request.last_ranks_seconds
