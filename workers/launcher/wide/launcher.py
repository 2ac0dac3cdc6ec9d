"""The launcher that gives the hosts of an engine to attempts."""

import threading
from collections.abc import Sequence

from workers.launcher.base import GpuDevice, Launch, LauncherOptions, TooLittleRoom
from workers.launcher.process_exit import ProcessExit
from workers.launcher.wide.engine import Engine, Host
from workers.launcher.wide.handle import WideHandle
from workers.launcher.wide.messages import HostRequest


class HostLauncher:
    """Starts each attempt on hosts of its own; `host_gpus` is what every host has at least.

    `drain` is set once a host was told that its machine is to be given back. A host that is not
    offered any more is the last to get an attempt: one that was claimed for it ends as lost.
    """

    def __init__(
        self, options: LauncherOptions, engine: Engine, hosts: Sequence[Host], host_gpus: int
    ) -> None:
        self._options, self._engine = options, engine
        self.drain = threading.Event()
        self._free: list[Host] = []
        self._order: dict[Host, int] = {}
        self._present: set[Host] = set()
        self._lost: set[str] = set()
        self._offered = 0
        self._handles: set[WideHandle] = set()
        self._changed = threading.Condition()
        self.offer_hosts(hosts, host_gpus)

    @property
    def hosts(self) -> int:
        """How many hosts are there; the last count where none is."""
        return self._count

    @property
    def free_gpus(self) -> int:
        """The number of GPUs that a free host has."""
        with self._changed:
            return self._usable_gpus() if self._free else 0

    def offer_gpus(self, gpus: Sequence[GpuDevice]) -> None:
        """Take what the worker sees on its own host for what each host has, but no more."""
        with self._changed:
            self._offered = len(gpus)

    def offer_hosts(self, hosts: Sequence[Host], host_gpus: int) -> None:
        """Start attempts on these from now on; those that run on others go on."""
        with self._changed:
            new = [host for host in hosts if host not in self._order]
            self._order |= {host: number for number, host in enumerate(new, len(self._order))}
            self._present, self._count, self.host_gpus = set(hosts), len(hosts), host_gpus
            self._free += new
            self._sort_free()

    def start(self, launch: Launch) -> WideHandle:
        """Start the ranks of an attempt on the first hosts that are free. Raises TooLittleRoom."""
        with self._changed:
            if launch.hosts > len(self._free):
                raise TooLittleRoom(
                    f"it needs {launch.hosts} hosts, and {len(self._free)} can be given out"
                )
            if launch.gpus > self._usable_gpus():
                raise TooLittleRoom(
                    f"it needs {launch.gpus} GPUs on each host, and one has {self._usable_gpus()}"
                )
            hosts, self._free = self._free[: launch.hosts], self._free[launch.hosts :]
        request = HostRequest(
            worker_id=self._options.worker_id,
            rank_main=self._options.rank_main,
            job_id=launch.job_id,
            spec_path=launch.spec_path,
            log_path=launch.log_path,
            gpus=launch.gpus,
            ranks=launch.ranks,
            addresses=tuple(host.address for host in hosts),
            number_variable=self._engine.number_variable,
        )
        handle = WideHandle(
            request, hosts, self.drain, lambda exit_: self._take_back(handle, hosts, exit_)
        )
        with self._changed:
            self._handles.add(handle)
        try:
            handle.begin(self._engine)
        except BaseException:
            # Nobody has the handle, who could wait for its end.
            self._take_back(handle, hosts, ProcessExit())
            raise
        return handle

    def close(self) -> None:
        """Kill the processes of all attempts, and return when none is left."""
        with self._changed:
            for handle in self._handles:
                handle.kill()
            self._changed.wait_for(lambda: not self._handles)

    def _usable_gpus(self) -> int:
        return min(self.host_gpus, self._offered)

    def _take_back(self, handle: WideHandle, hosts: Sequence[Host], exit_: ProcessExit) -> None:
        with self._changed:
            self._free += hosts
            self._lost.update(exit_.lost_hosts)
            self._sort_free()
            self._handles.remove(handle)
            self._changed.notify_all()

    def _sort_free(self) -> None:
        # What has lost an attempt before is the last to get another, but for those that have left.
        self._free.sort(
            key=lambda host: (
                host not in self._present,
                host.name in self._lost,
                self._order[host],
            )
        )
