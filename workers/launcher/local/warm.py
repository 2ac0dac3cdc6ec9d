"""The warm process: torch is imported once, and each attempt is a fork of it.

`python -m workers.launcher.local.warm WORKER_ID CONTROL_FD AGENT_PID MODULE:FUNCTION`, by the launcher
alone. It has one thread and has touched no device, so that its forks are sound.
"""

import gc
import os
import pkgutil
import signal
import socket
import sys
import traceback

from setproctitle import setproctitle

from workers.launcher.kernel import adopt_orphans, die_with_parent
from workers.launcher.local.ranks import RankMain
from workers.launcher.local.signal_pipe import SignalPipe
from workers.launcher.local.spawn_request import SpawnEnded, SpawnRequest
from workers.launcher.local.supervisor import supervise
from workers.launcher.local.sweep import reaped, sweep

MAX_WORD_BYTES = 1 << 17


def main() -> int:
    """Serve orders until the agent closes its end or dies, then end everything below."""
    _, control_fd, agent_pid, entry = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(int(agent_pid), signal.SIGTERM)
    adopt_orphans()
    setproctitle("trainyard: loading")
    # OpenBLAS starts its threads at import, and a fork would lose them.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    rank_main: RankMain = pkgutil.resolve_name(entry)
    gc.freeze()
    setproctitle("trainyard: warm")
    control = socket.socket(fileno=int(control_fd))
    _Warm(control, int(agent_pid), rank_main).serve()
    return 0


class _Warm:
    def __init__(self, control: socket.socket, agent_pid: int, main: RankMain) -> None:
        self._control, self._agent_pid, self._main = control, agent_pid, main
        self._orders: dict[int, int] = {}
        self._wakeup = SignalPipe()

    def serve(self) -> None:
        try:
            while os.getppid() == self._agent_pid:
                if self._wakeup.wait(self._control) and not self._receive():
                    break
                self._reap()
        except BrokenPipeError:
            return
        finally:
            sweep()

    def _receive(self) -> bool:
        word, fds, _, _ = socket.recv_fds(self._control, MAX_WORD_BYTES, 1)
        if not word:
            return False
        order = SpawnRequest.model_validate_json(word)
        with socket.socket(fileno=fds[0]) as channel:
            warm_pid = os.getpid()
            pid = os.fork()
            if pid == 0:
                self._supervise(order, channel, warm_pid)
        self._orders[pid] = order.number
        return True

    def _supervise(self, order: SpawnRequest, channel: socket.socket, warm_pid: int) -> None:
        status = 1
        try:
            self._control.close()
            self._wakeup.close()
            supervise(order, channel, self._main, warm_pid)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        ended = {pid: status for pid in self._orders if (status := reaped(pid)) is not None}
        # What is no supervisor was orphaned by one that was killed.
        sweep(keep=self._orders.keys() - ended.keys())
        for pid, status in ended.items():
            word = SpawnEnded(number=self._orders.pop(pid), status=status)
            self._control.send(word.model_dump_json().encode())


if __name__ == "__main__":
    sys.exit(main())
