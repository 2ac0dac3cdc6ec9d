"""One to N ranks on this host, forked from a warm process."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence

import structlog

from workers.launcher.base import Launch
from workers.launcher.local.spawn_request import SpawnEnded, SpawnRequest
from workers.launcher.local.supervisor import DUMP, HELD_UNTIL, KILL, TERMINATE
from workers.launcher.local.sweep import sweep
from workers.launcher.process_exit import ProcessExit

WORKER_ID = "TRAINYARD_WORKER_ID"
"""The variable by which every process of a worker is known, in its `/proc/<pid>/environ`."""

_MAX_WORD_BYTES = 1 << 17
_START_AGAIN_SECONDS = 1.0
_log = structlog.get_logger()


class LocalHandle:
    """An attempt's supervisor, and the socket on which it listens and says how it ended."""

    def __init__(self, channel: socket.socket, gpus: Sequence[int]) -> None:
        self._channel, self.gpus = channel, gpus
        self._ended = threading.Event()
        self._exit = ProcessExit()

    def terminate(self) -> None:
        """Send SIGTERM to the ranks."""
        self._say(TERMINATE)

    def hold_until(self, boot_seconds: float) -> None:
        """Have the supervisor end the tree at this time unless it is told a later one."""
        # A supervisor that is stopped reads none, and must not stop the agent too.
        self._say(HELD_UNTIL + str(boot_seconds).encode(), socket.MSG_DONTWAIT)

    def dump_stacks(self) -> None:
        """Have each rank write the stacks of its threads into the log."""
        self._say(DUMP)

    def kill(self) -> None:
        """End the whole tree at once."""
        self._say(KILL)

    def wait(self, timeout_seconds: float | None = None) -> ProcessExit | None:
        """How the ranks ended, once no process of the tree is left; None at the timeout."""
        return self._exit if self._ended.wait(timeout_seconds) else None

    def end(self, problem: str) -> None:
        """Take the supervisor's last word; without one, `problem` is what happened."""
        try:
            word = self._channel.recv(_MAX_WORD_BYTES, socket.MSG_DONTWAIT)
        except OSError:
            word = b""
        self._exit = ProcessExit.model_validate_json(word) if word else ProcessExit(problem=problem)
        self._channel.close()
        self._ended.set()

    def _say(self, word: bytes, flags: int = 0) -> None:
        # Who has ended needs no word any more.
        try:
            self._channel.send(word, flags)
        except OSError:
            return


class LocalLauncher:
    """Keeps one warm process, and forks each attempt from it; `rank_main` is `module:function`."""

    def __init__(self, worker_id: str, slots: int, gpus: Sequence[int], rank_main: str) -> None:
        self._worker_id, self._slots, self._rank_main = worker_id, slots, rank_main
        self._gpus = list(gpus)
        self._handles: dict[int, LocalHandle] = {}
        self._number = 0
        self._control: socket.socket | None = None
        self._changed = threading.Condition()
        self._closed = threading.Event()
        # The kernel ends the warm process with the thread that started it: this one stays.
        self._thread = threading.Thread(target=self._keep_warm, name="warm", daemon=True)
        self._thread.start()

    @property
    def free_gpus(self) -> int:
        """How many GPUs no attempt has."""
        with self._changed:
            return len(self._gpus)

    def start(self, launch: Launch) -> LocalHandle:
        """Fork the ranks as soon as there is a warm process."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._changed:
            assert launch.gpus <= len(self._gpus), "the control plane gave out more than was free"
            self._changed.wait_for(lambda: self._control is not None or self._closed.is_set())
            gpus, self._gpus = self._gpus[: launch.gpus], self._gpus[launch.gpus :]
            handle = LocalHandle(ours, gpus)
            self._number += 1
            order = self._order(self._number, launch, gpus)
            self._handles[order.number] = handle
            if self._control is None:
                self._end(order.number, "the worker was shutting down")
            else:
                _send(self._control, order, theirs)
        return handle

    def close(self) -> None:
        """End every tree and the warm process."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
            if self._control is not None:
                self._control.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _order(self, number: int, launch: Launch, gpus: Sequence[int]) -> SpawnRequest:
        ranks = max(1, launch.gpus)
        cores = len(os.sched_getaffinity(0))
        return SpawnRequest(
            number=number,
            job_id=launch.job_id,
            spec_path=launch.spec_path,
            log_path=launch.log_path,
            environments=tuple(_environments(ranks, gpus)),
            threads=None
            if "OMP_NUM_THREADS" in os.environ
            else max(1, cores // self._slots // ranks),
        )

    def _keep_warm(self) -> None:
        while not self._closed.is_set():
            try:
                control, process = self._start_warm()
            except OSError as error:
                _log.error("warm_process_not_started", error=str(error))
                self._closed.wait(_START_AGAIN_SECONDS)
                continue
            with self._changed:
                self._control = control
                self._changed.notify_all()
            if self._closed.is_set():
                control.shutdown(socket.SHUT_RDWR)
            while word := _received(control):
                ended = SpawnEnded.model_validate_json(word)
                self._end(ended.number, f"the supervisor ended with wait status {ended.status}")
            with self._changed:
                self._control = None
            control.close()
            status = process.wait()
            sweep()
            for number in list(self._handles):
                self._end(number, f"the warm process ended with status {status}")
            if not self._closed.is_set():
                _log.error("warm_process_ended", status=status)
                self._closed.wait(_START_AGAIN_SECONDS)

    def _start_warm(self) -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        module = [sys.executable, "-m", "workers.launcher.local.warm"]
        with theirs:
            process = subprocess.Popen(
                [*module, self._worker_id, str(theirs.fileno()), str(os.getpid()), self._rank_main],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # A Ctrl-C is for the agent alone.
                start_new_session=True,
                # SPT_NOENV: a title must not be written over the variable that names the worker.
                env=os.environ | {WORKER_ID: self._worker_id, "SPT_NOENV": "1"},
            )
        return ours, process

    def _end(self, number: int, problem: str) -> None:
        with self._changed:
            handle = self._handles.pop(number)
            self._gpus = sorted([*self._gpus, *handle.gpus])
        handle.end(problem)


def _environments(ranks: int, gpus: Sequence[int]) -> list[dict[str, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return [
        {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(ranks),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": str(gpus[rank]) if gpus else "",
        }
        for rank in range(ranks)
    ]


def _send(control: socket.socket, order: SpawnRequest, channel: socket.socket) -> None:
    # A warm process that has just died is started again, and its orders end with it.
    try:
        socket.send_fds(control, [order.model_dump_json().encode()], [channel.fileno()])
    except OSError:
        return


def _received(control: socket.socket) -> bytes:
    try:
        return control.recv(_MAX_WORD_BYTES)
    except ConnectionResetError:
        return b""
