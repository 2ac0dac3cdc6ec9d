"""Starts the host processes of an attempt by a driver of Ray, which is a child of the agent."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

import structlog
from pydantic import ValidationError

from service.contract.ids import new_id
from workers.launcher.ray.messages import HostsReport, HostsRequest, SweepRequest, sent
from workers.launcher.wide.engine import Closed, EngineMessage, Gone, Host, Line

_DRIVER = (sys.executable, "-m", "workers.launcher.ray.driver")
_SWEEP_SECONDS = 90.0
_PAUSE_SECONDS = 5.0
_log = structlog.get_logger()

Receive = Callable[[EngineMessage], None]


def start_driver(*arguments: str) -> "subprocess.Popen[bytes]":
    """Start a driver, in its own session so that Ctrl-C reaches the agent alone; raises OSError."""
    return subprocess.Popen(
        [*_DRIVER, *arguments],
        env=driver_environment(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def driver_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a driver: a cluster has tokens unless the user says that it has none."""
    defaults = {
        "RAY_AUTH_MODE": "token",
        "RAY_USAGE_STATS_ENABLED": "0",
        # As often, a second apart, a head is asked that answers but refuses.
        "RAY_NUM_REDIS_GET_RETRIES": "3",
    }
    return defaults | dict(environment)


class RayEngine:
    """Starts a driver for each attempt on the cluster at `address`."""

    number_variable = "TRAINYARD_HOST_NUMBER"

    def __init__(self, address: str) -> None:
        self._address = address

    def start(
        self, command: Sequence[str], hosts: Sequence[Host], receive: Receive
    ) -> "RayProcesses":
        """Start `command` once on each host; raises OSError."""
        request = HostsRequest(
            address=self._address,
            names=tuple(host.name for host in hosts),
            command=tuple(command),
            mark=new_id("step"),
        )
        return RayProcesses(start_driver("hosts", request.text), request, receive)


class RayProcesses:
    """One driver: its input goes to the process of each host, and their output comes back."""

    def __init__(
        self, driver: "subprocess.Popen[bytes]", request: HostsRequest, receive: Receive
    ) -> None:
        self._driver, self._request, self._receive = driver, request, receive
        self._nodes: tuple[str, ...] = ()
        self._sweep_at = 0.0
        assert driver.stdin is not None
        os.set_blocking(driver.stdin.fileno(), False)
        self._input: IO[bytes] | None = driver.stdin
        self._sending = threading.Lock()
        threading.Thread(target=self._follow, name="ray", daemon=True).start()

    def send(self, line: str) -> None:
        """Send a line to the process of each host; it is lost where the driver reads nothing."""
        with self._sending:
            if self._input is None:
                return
            # Past the buffer: a line is written as a whole or not at all.
            try:
                os.write(self._input.fileno(), f"{sent(line)}\n".encode())
            except OSError as error:
                _log.warning("line_not_sent", line=line.split()[0], error=str(error))

    def kill(self) -> None:
        """Kill the driver, on whose death Ray ends its actors, and these the host processes."""
        self._driver.kill()

    def have_ended(self) -> bool:
        """Whether each host was asked and has no process of this attempt; those left are killed."""
        if not self._nodes:
            return True
        if time.monotonic() < self._sweep_at:
            return False
        request = SweepRequest(
            address=self._request.address, nodes=self._nodes, mark=self._request.mark
        )
        try:
            with start_driver("sweep", request.text) as sweep:
                try:
                    _, errors = sweep.communicate(timeout=_SWEEP_SECONDS)
                finally:
                    sweep.kill()
        except (OSError, subprocess.TimeoutExpired) as error:
            _log.warning("hosts_not_swept", error=str(error))
            return False
        finally:
            self._sweep_at = time.monotonic() + _PAUSE_SECONDS
        if sweep.returncode:
            _log.warning("hosts_not_swept", error=errors.decode(errors="replace")[-300:])
        return sweep.returncode == 0

    def _follow(self) -> None:
        assert self._driver.stdout is not None
        with errors_logged(self._driver):
            for line in lines_of(self._driver.stdout):
                self._take(line)
        status = self._driver.wait()
        with self._sending, self._driver:
            # Its pipes are closed: another file may get their numbers.
            self._input = None
        self._receive(Closed(f"the driver of Ray ended with status {status}"))

    def _take(self, line: str) -> None:
        try:
            report = HostsReport.model_validate_json(line)
        except ValidationError:
            _log.info("ray", line=line[:200])
            return
        if report.nodes:
            self._nodes = report.nodes
        if report.line is not None:
            self._receive(Line(report.line))
        if report.gone is not None:
            self._receive(Gone(report.gone, report.how))


@contextmanager
def errors_logged(driver: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Log what a driver writes to its standard error; left once the driver has closed it."""
    assert driver.stderr is not None
    thread = threading.Thread(target=_log_lines, args=(driver.stderr,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        # Its owner closes the pipe next, which must not be while it is read.
        thread.join()


def _log_lines(errors: IO[bytes]) -> None:
    for line in lines_of(errors):
        _log.info("ray", line=line)


def lines_of(stream: IO[bytes]) -> Iterator[str]:
    """The lines of a stream, without their ends."""
    for line in stream:
        yield line.decode(errors="replace").rstrip("\n")
