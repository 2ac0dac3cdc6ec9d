"""The launcher for ranks on this host, which are forked from a warm process."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence

import structlog

from service.contract.loop import Loop
from workers.cpu_cores import available_cores
from workers.descendants import kill_descendants
from workers.launcher.base import GpuDevice, Launch, LauncherOptions, TooLittleRoom
from workers.launcher.local.environments import environments_of
from workers.launcher.local.handle import LocalHandle
from workers.launcher.local.host_place import HostPlace
from workers.launcher.local.spawn_request import MAX_MESSAGE_BYTES, SpawnEnded, SpawnRequest

WORKER_ID = "TRAINYARD_WORKER_ID"
"""The environment variable that marks every process of a worker, in `/proc/<pid>/environ`."""

LAST_RANKS_SECONDS = 30.0
"""How long the other ranks may take to end once one has.

Six times as long as a rank waits for the last words of another. One that hangs in the driver, or is
stopped (SIGSTOP), would hold all GPUs of its attempt until the watchdog sees no progress.
"""

_RESTART_SECONDS = 1.0
_log = structlog.get_logger()


class LocalLauncher:
    """Runs a warm process, from which each attempt is forked."""

    def __init__(self, options: LauncherOptions) -> None:
        self._worker_id, self._slots = options.worker_id, options.slots
        self._rank_main = options.rank_main
        self._gpus: tuple[GpuDevice, ...] = ()
        self._handles: dict[int, LocalHandle] = {}
        self._number = 0
        self._control: socket.socket | None = None
        self._changed = threading.Condition()
        # The warm process ends with the thread that started it, so this thread runs until close().
        self._loop = Loop(
            "warm-process", _RESTART_SECONDS, self._run_warm, log=_log, outages=(OSError,)
        )
        self._loop.start()

    @property
    def hosts(self) -> int:
        """This host alone."""
        return 1

    @property
    def free_gpus(self) -> int:
        """The number of GPUs that may be given out, and that no attempt uses."""
        with self._changed:
            return len(self._free_gpus())

    def offer_gpus(self, gpus: Sequence[GpuDevice]) -> None:
        """Give out these GPUs alone from now on, none before; an attempt keeps those it has."""
        with self._changed:
            self._gpus = tuple(gpus)

    def start(self, launch: Launch, place: HostPlace | None = None) -> LocalHandle:
        """Start the ranks of an attempt; waits until the warm process runs. Raises TooLittleRoom.

        With `place` they are those of one host of an attempt that has several.
        """
        if launch.hosts > 1 and place is None:
            raise TooLittleRoom(f"it needs {launch.hosts} hosts, and this worker has one")
        own_end, peer_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with peer_end, self._changed:
            self._changed.wait_for(lambda: self._control is not None or self._loop.is_stopped())
            gpus = self._free_gpus()[: launch.gpus]
            if len(gpus) < launch.gpus:
                own_end.close()
                raise TooLittleRoom(
                    f"it needs {launch.gpus} GPUs, and {len(gpus)} can be given out"
                )
            handle = LocalHandle(own_end, [gpu.index for gpu in gpus])
            self._number += 1
            request = self._request(self._number, launch, gpus, place)
            self._handles[request.number] = handle
            if self._control is None:
                self._end(request.number, "the worker was shutting down")
            else:
                fds = [peer_end.fileno(), *(place.fds if place is not None else ())]
                _send_request(self._control, request, fds)
        return handle

    def close(self) -> None:
        """Kill the processes of all attempts, and end the warm process."""
        self._loop.stop()
        with self._changed:
            self._changed.notify_all()
            if self._control is not None:
                self._control.shutdown(socket.SHUT_RDWR)
        self._loop.join()

    def _free_gpus(self) -> list[GpuDevice]:
        used = {index for handle in self._handles.values() for index in handle.gpus}
        return [gpu for gpu in self._gpus if gpu.index not in used]

    def _request(
        self, number: int, launch: Launch, gpus: Sequence[GpuDevice], place: HostPlace | None
    ) -> SpawnRequest:
        ranks = launch.ranks_per_host
        cores = self._cores_for(launch.gpus) // ranks
        return SpawnRequest(
            number=number,
            job_id=launch.job_id,
            spec_path=launch.spec_path,
            log_path=launch.log_path,
            environments=tuple(environments_of(ranks, gpus, max(1, cores), place)),
            threads=None if "OMP_NUM_THREADS" in os.environ else max(1, cores),
            last_ranks_seconds=LAST_RANKS_SECONDS,
        )

    def _cores_for(self, gpus: int) -> int:
        """The cores of an attempt: those of one slot, or its GPUs' part where that is more."""
        cores = available_cores()
        by_gpus = cores * gpus // len(self._gpus) if gpus else 0
        return max(by_gpus, cores // self._slots)

    def _run_warm(self) -> None:
        """Run one warm process to its end; whatever happens, no handle waits for it any more."""
        control, process = self._start_warm()
        try:
            with self._changed:
                self._control = control
                self._changed.notify_all()
            if self._loop.is_stopped():
                control.shutdown(socket.SHUT_RDWR)
            self._receive_ends(control)
        finally:
            with self._changed:
                self._control = None
            # The warm process ends, with all its descendants, once its socket is closed.
            control.close()
            status = process.wait()
            kill_descendants()
            for number in list(self._handles):
                self._end(number, f"the warm process ended with status {status}")
        if not self._loop.is_stopped():
            _log.error("warm_process_ended", status=status)

    def _receive_ends(self, control: socket.socket) -> None:
        while message := _receive(control):
            ended = SpawnEnded.model_validate_json(message)
            self._end(ended.number, f"the supervisor ended with wait status {ended.status}")

    def _start_warm(self) -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
        own_end, peer_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        module = [sys.executable, "-m", "workers.launcher.local.warm"]
        with peer_end:
            process = subprocess.Popen(
                [
                    *module,
                    self._worker_id,
                    str(peer_end.fileno()),
                    str(os.getpid()),
                    self._rank_main,
                ],
                pass_fds=[peer_end.fileno()],
                stdin=subprocess.DEVNULL,
                # In its own session, so that Ctrl-C reaches the agent alone.
                start_new_session=True,
                # SPT_NOENV keeps setproctitle from overwriting WORKER_ID in /proc/<pid>/environ.
                env=os.environ | {WORKER_ID: self._worker_id, "SPT_NOENV": "1"},
            )
        return own_end, process

    def _end(self, number: int, problem: str) -> None:
        with self._changed:
            handle = self._handles.pop(number)
        handle.end(problem)


def _send_request(control: socket.socket, request: SpawnRequest, fds: Sequence[int]) -> None:
    # If the warm process has just died, `_run_warm` ends this request with a problem.
    try:
        socket.send_fds(control, [request.model_dump_json().encode()], fds)
    except OSError:
        return


def _receive(control: socket.socket) -> bytes:
    try:
        return control.recv(MAX_MESSAGE_BYTES)
    except ConnectionResetError:
        return b""
