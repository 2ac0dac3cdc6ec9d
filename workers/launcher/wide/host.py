"""The process that an attempt has on each of its hosts: it runs the ranks of that host.

An engine starts it by `python -m workers.launcher.wide.host REQUEST`, a HostRequest as JSON. Its
standard input brings commands, and its standard output takes HostReports. When the input ends, the
agent or the engine is gone, and the ranks are killed.
"""

import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TextIO

from setproctitle import setproctitle

from service.contract.kernel import become_subreaper, boot_clock
from service.contract.process_title import process_title
from workers.launcher.base import GpuDevice, Launch, LauncherOptions, TooLittleRoom
from workers.launcher.local.handle import LocalHandle
from workers.launcher.local.host_place import HostPlace
from workers.launcher.local.launcher import LocalLauncher
from workers.launcher.process_exit import ProcessExit
from workers.launcher.wide.messages import (
    DUMP,
    KILL,
    MASTER,
    RENEW,
    SEEN,
    TERMINATE,
    HostReport,
    HostRequest,
    end_reports,
)
from workers.launcher.wide.network import NoWayToHosts, interface_of, own_address

_POLL_SECONDS = 1.0
_RECEIPT_SECONDS = 5.0
_Message = str | ProcessExit | None
"""A command, the end of the ranks, or None for the end of the input."""


def main() -> int:
    """Run this host's ranks to their end, and report it."""
    request = HostRequest.model_validate_json(sys.argv[1])
    number = int(os.environ[request.number_variable])
    setproctitle(process_title(f"host-{number}", request.job_id))
    become_subreaper()
    output = _own_output()
    inbox: SimpleQueue[_Message] = SimpleQueue()
    host = Host(request, number, inbox, lambda report: _say(output, report))

    def signalled(_number: int, _frame: FrameType | None) -> None:
        host.note_signal()

    signal.signal(signal.SIGTERM, signalled)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    threading.Thread(target=_read, args=(sys.stdin, inbox), daemon=True).start()
    host.run()
    return 0


class Host:
    """The ranks of one host: `inbox` brings what there is to do, `report` sends a HostReport."""

    def __init__(
        self,
        request: HostRequest,
        number: int,
        inbox: "SimpleQueue[_Message]",
        report: Callable[[HostReport], None],
    ) -> None:
        self._request, self._number = request, number
        self._inbox, self._report = inbox, report
        self._deadline = math.inf
        self._is_cut_off = False
        self._listening: socket.socket | None = None
        self._handle: LocalHandle | None = None
        options = LauncherOptions(
            worker_id=request.worker_id,
            slots=1,
            rank_main=request.rank_main,
        )
        self._launcher = LocalLauncher(options)
        self._launcher.offer_gpus(_devices(request.gpus))

    def note_signal(self) -> None:
        """Tell the agent that this machine is to be given back, and have the ranks save and end."""
        self._report(HostReport(host=self._number, signalled=True))
        self._inbox.put(TERMINATE)

    def run(self) -> None:
        """Return once no process of the attempt is left on this host."""
        try:
            self._begin()
            exit_ = self._until_ended()
        except (NoWayToHosts, TooLittleRoom) as error:
            exit_ = ProcessExit(problem=str(error))
        self._launcher.close()
        for report in end_reports(self._number, exit_, cut_off=self._is_cut_off):
            self._report(report)
        if not self._is_cut_off:
            self._await_receipt()

    def _begin(self) -> None:
        addresses = self._request.addresses
        if len(addresses) == 1:
            self._start(None)
        elif self._number == 0:
            address = own_address(addresses[1:])
            self._listening = socket.create_server((address, 0), backlog=socket.SOMAXCONN)
            port = self._listening.getsockname()[1]
            self._report(HostReport(host=0, listening=(address, port)))

    def _until_ended(self) -> ProcessExit:
        while True:
            try:
                message = self._inbox.get(timeout=_POLL_SECONDS)
            except Empty:
                if self._handle is None and boot_clock() >= self._deadline:
                    return ProcessExit(problem="no host was heard of in time", overdue=True)
                continue
            if isinstance(message, ProcessExit):
                return message
            self._is_cut_off = self._is_cut_off or message is None
            if self._handle is None and message in (TERMINATE, KILL, None):
                return ProcessExit(problem="ended before the ranks were started", overdue=True)
            self._follow(message)

    def _await_receipt(self) -> None:
        # An engine may lose the last lines of a process that ends: srun does, if another failed.
        give_up_at = boot_clock() + _RECEIPT_SECONDS
        receipts = (f"{SEEN} {self._number}", None)
        with suppress(Empty):
            while self._inbox.get(timeout=max(0.0, give_up_at - boot_clock())) not in receipts:
                pass

    def _follow(self, command: str | None) -> None:
        name, *words = (command or KILL).split()
        if name == MASTER and self._handle is None:
            address, port = words
            self._start((address, int(port)))
        elif name == RENEW:
            self._deadline = boot_clock() + float(words[0])
            if self._handle is not None:
                self._handle.extend_deadline(self._deadline)
        elif self._handle is not None:
            handle = self._handle
            calls = {TERMINATE: handle.terminate, DUMP: handle.dump_stacks, KILL: handle.kill}
            if name in calls:
                calls[name]()

    def _start(self, master: tuple[str, int] | None) -> None:
        request = self._request
        launch = Launch(
            job_id=request.job_id,
            spec_path=request.spec_path,
            log_path=request.log_path,
            gpus=request.gpus,
            hosts=len(request.addresses),
            ranks=request.ranks,
        )
        place = None
        if master is not None:
            own = master[0] if self._number == 0 else own_address([master[0]])
            place = HostPlace(
                self._number, launch.hosts, master, interface_of(own), self._listening
            )
        handle = self._handle = self._launcher.start(launch, place)
        if self._listening is not None:
            # Rank 0 has it: once that has ended, nobody may be found here.
            self._listening.close()
        if self._deadline < math.inf:
            handle.extend_deadline(self._deadline)
        threading.Thread(target=lambda: self._inbox.put(handle.wait()), daemon=True).start()


def _devices(gpus: int) -> list[GpuDevice]:
    """The devices that the engine gave this host; without a word of it the first ones."""
    named = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    names = named or [str(index) for index in range(gpus)]
    return [GpuDevice(index, name) for index, name in enumerate(names)]


def _own_output() -> int:
    """The standard output for the reports alone: what else is printed goes to standard error."""
    own = os.dup(1)
    os.dup2(2, 1)
    return own


def _say(output: int, report: HostReport) -> None:
    # One write, since a signal may come in the middle. Once the agent has gone, nobody reads it.
    with suppress(OSError):
        os.write(output, report.line.encode())


def _read(commands: TextIO, inbox: "SimpleQueue[_Message]") -> None:
    for line in commands:
        inbox.put(line.strip())
    inbox.put(None)


if __name__ == "__main__":
    # The thread that reads the input may be in the middle of it.
    status = main()
    sys.stderr.flush()
    os._exit(status)
