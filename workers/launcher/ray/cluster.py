"""The nodes of the cluster, as a driver tells of them again and again."""

import math
import subprocess
import threading
from collections.abc import Callable

import structlog
from pydantic import ValidationError

from service.contract.kernel import boot_clock
from service.contract.loop import Loop
from workers.launcher.base import CannotLaunch
from workers.launcher.ray.engine import errors_logged, lines_of, start_driver
from workers.launcher.ray.messages import Node, NodesReport

_FIRST_SECONDS = 120.0
_SILENCE_SECONDS = 20.0
"""Four looks of the driver: a head that is lost answers none of them."""
_RESTART_SECONDS = 10.0
_log = structlog.get_logger()


class ClusterWatch:
    """Follows the nodes of the cluster at `address`; `on_change` is called with each new list.

    Raises CannotLaunch if there is no first list.
    """

    def __init__(self, address: str, on_change: Callable[[tuple[Node, ...]], None]) -> None:
        self._address, self._on_change = address, on_change
        self._nodes: tuple[Node, ...] = ()
        self._problem = "the driver said nothing"
        self._heard_at = -math.inf
        self._first = threading.Event()
        self._driver: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._loop = Loop("cluster", _RESTART_SECONDS, self._follow, log=_log, outages=(OSError,))
        self._loop.start()
        self._first.wait(_FIRST_SECONDS)
        if not self._nodes:
            self.close()
            raise CannotLaunch(f"launcher: ray: {self._problem}")

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes of the newest list."""
        return self._nodes

    def is_heard(self) -> bool:
        """Whether the cluster answers, and has nodes."""
        return bool(self._nodes) and boot_clock() < self._heard_at + _SILENCE_SECONDS

    def close(self) -> None:
        """End the driver."""
        self._loop.stop()
        with self._lock:
            if self._driver is not None:
                self._driver.kill()
        self._loop.join()

    def _follow(self) -> None:
        with self._lock:
            if self._loop.is_stopped():
                return
            driver = self._driver = start_driver("nodes", self._address)
        with driver, errors_logged(driver):
            assert driver.stdout is not None
            try:
                for line in lines_of(driver.stdout):
                    self._take(line)
            finally:
                driver.kill()
                self._first.set()
        if not self._loop.is_stopped():
            _log.warning("cluster_not_heard", problem=self._problem)

    def _take(self, line: str) -> None:
        try:
            report = NodesReport.model_validate_json(line)
        except ValidationError:
            _log.info("ray", line=line[:200])
            return
        if report.problem:
            self._problem = report.problem
            return
        if not report.nodes:
            self._problem = (
                f"the cluster at {self._address} has no node with a CPU or a GPU: start some with "
                "`ray start`"
            )
        self._heard_at = boot_clock()
        if report.nodes != self._nodes:
            self._nodes = report.nodes
            self._on_change(report.nodes)
        self._first.set()
