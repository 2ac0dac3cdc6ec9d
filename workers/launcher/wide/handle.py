"""The ranks of an attempt on several hosts, as the agent holds them."""

import math
import sys
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

import structlog
from pydantic import ValidationError

from service.contract.kernel import boot_clock
from workers.launcher.local.launcher import LAST_RANKS_SECONDS, WORKER_ID
from workers.launcher.process_exit import ProcessExit
from workers.launcher.wide.engine import (
    Closed,
    Engine,
    EngineMessage,
    Gone,
    Host,
    HostProcesses,
    Line,
)
from workers.launcher.wide.exits import HostExits
from workers.launcher.wide.messages import (
    DUMP,
    KILL,
    MASTER,
    RENEW,
    SEEN,
    TERMINATE,
    HostReport,
    HostRequest,
)

_LAST_REPORTS_SECONDS = 10.0
"""How long hosts may take to say how they ended, once they were told to; then the engine too."""
_MARGIN_SECONDS = 5.0
"""For the way of the last renewal to a host, and for the end of its ranks at the deadline."""
_POLL_SECONDS = 1.0
_log = structlog.get_logger()


class _Killed:
    """The agent wants the attempt to end."""


class WideHandle:
    """Sends the agent's commands to every host, and makes one end of theirs.

    A host that ended without a report is lost. Its ranks may live on when its process is dead:
    unless the engine is sure that nothing is left, `wait` has no answer before the deadline that
    the host may have heard of, for then it has killed its ranks.
    """

    gpus: Sequence[int] = ()

    def __init__(
        self,
        request: HostRequest,
        hosts: Sequence[Host],
        drain: threading.Event,
        give_back: Callable[[ProcessExit], None],
    ) -> None:
        """`drain` is set when a host is told that its machine is to be given back.

        `give_back` is called once, when the hosts are free again and before anyone hears of it.
        """
        self._request, self._hosts, self._drain = request, hosts, drain
        self._give_back = give_back
        self._inbox: SimpleQueue[EngineMessage | _Killed] = SimpleQueue()
        self._exits = HostExits(hosts)
        self._ended = threading.Event()
        self._exit = ProcessExit()
        self._deadline, self._is_renewed = -math.inf, True
        self._kill_at = self._close_at = math.inf
        self._is_silent = self._is_closing = False
        self._closed: Closed | None = None
        self._log = _log.bind(job_id=request.job_id)
        self._processes: HostProcesses | None = None

    def begin(self, engine: Engine) -> None:
        """Start a process on every host, which starts the ranks there."""
        # As the local launcher marks its processes: SPT_NOENV keeps titles out of the environment.
        mark = ["env", f"{WORKER_ID}={self._request.worker_id}", "SPT_NOENV=1"]
        module = [sys.executable, "-m", "workers.launcher.wide.host"]
        command = [*mark, *module, self._request.model_dump_json()]
        try:
            self._processes = engine.start(command, self._hosts, self._inbox.put)
        except OSError as error:
            self._end_with(ProcessExit(problem=f"its hosts could not be reached: {error}"))
            return
        threading.Thread(
            target=self._run, args=(self._processes,), name="hosts", daemon=True
        ).start()

    def terminate(self) -> None:
        """Send SIGTERM to the ranks, which then save a checkpoint and end."""
        self._send(TERMINATE)

    def extend_deadline(self, boot_seconds: float) -> None:
        """Set the time of this host's `boot_clock`, in seconds, at which the ranks are killed.

        Every host counts the seconds that are left with its own clock.
        """
        if self._is_renewed:
            self._deadline = boot_seconds
            self._send(f"{RENEW} {boot_seconds - boot_clock():.3f}")

    def dump_stacks(self) -> None:
        """Have each rank write the stacks of its threads to the attempt's log."""
        self._send(DUMP)

    def kill(self) -> None:
        """Kill the ranks and all their descendants at once."""
        self._inbox.put(_Killed())

    def wait(self, timeout_seconds: float | None = None) -> ProcessExit | None:
        """Wait until no process of the attempt is left; None if `timeout_seconds` pass first."""
        return self._exit if self._ended.wait(timeout_seconds) else None

    def _send(self, line: str) -> None:
        if self._processes is not None:
            self._processes.send(line)

    def _run(self, processes: HostProcesses) -> None:
        try:
            while not self._is_over(processes):
                self._receive()
                self._keep_times(processes)
            exit_ = self._exits.merged()
        except Exception as error:
            self._log.exception("hosts_not_followed")
            processes.kill()
            self._await_deadline()
            exit_ = ProcessExit(problem=f"its hosts could not be followed: {error}")
        self._end_with(exit_)

    def _end_with(self, exit_: ProcessExit) -> None:
        self._exit = exit_
        try:
            # The control plane may assign the hosts anew as soon as the agent knows of this end.
            self._give_back(exit_)
        finally:
            self._ended.set()

    def _is_over(self, processes: HostProcesses) -> bool:
        if self._closed is None:
            return False
        return self._exits.all_reported or processes.have_ended() or self._is_past_deadline()

    def _is_past_deadline(self) -> bool:
        return boot_clock() >= self._deadline + _MARGIN_SECONDS

    def _receive(self) -> None:
        try:
            message = self._inbox.get(timeout=_POLL_SECONDS)
        except Empty:
            return
        if isinstance(message, Line):
            self._take_line(message.text)
        elif isinstance(message, Gone):
            self._log.warning("host_gone", host=self._hosts[message.number].name, how=message.how)
            self._exits.note_gone(message.number, message.how)
        elif isinstance(message, Closed):
            self._closed, self._is_renewed = message, False
            if not self._exits.all_reported:
                self._log.error("hosts_not_heard", how=message.how)
        else:
            self._end()

    def _take_line(self, line: str) -> None:
        try:
            report = HostReport.model_validate_json(line)
        except ValidationError:
            self._log.warning("not_a_report", line=line[:200])
            return
        if report.listening is not None:
            address, port = report.listening
            self._send(f"{MASTER} {address} {port}")
        if report.signalled:
            self._drain.set()
        self._exits.take(report, is_silent=self._is_silent)
        if report.ended is not None:
            self._send(f"{SEEN} {report.host}")

    def _keep_times(self, processes: HostProcesses) -> None:
        now = boot_clock()
        if self._exits.any_failed:
            self._end()
        if self._exits.any_ended and self._kill_at == math.inf:
            self._kill_at = now + LAST_RANKS_SECONDS
        if now >= self._kill_at and self._is_renewed:
            self._is_silent = True
            self._end()
        if self._exits.all_reported:
            self._close_at = min(self._close_at, now + _LAST_REPORTS_SECONDS)
        if now >= self._close_at and not self._is_closing:
            self._is_closing = True
            processes.kill()

    def _end(self) -> None:
        if self._is_renewed:
            # A host that hears no more of it must end by itself.
            self._is_renewed = False
            self._close_at = boot_clock() + _LAST_REPORTS_SECONDS
            self._send(KILL)

    def _await_deadline(self) -> None:
        threading.Event().wait(max(0.0, self._deadline + _MARGIN_SECONDS - boot_clock()))
