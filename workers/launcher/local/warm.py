"""The warm process: it imports torch once, and forks a supervisor for each attempt.

The launcher starts it by `python -m workers.launcher.local.warm WORKER_ID CONTROL_FD AGENT_PID
MODULE:FUNCTION`. It has one thread and has initialised no device, so that it can be forked safely.
"""

import gc
import os
import pkgutil
import signal
import socket
import sys
import traceback

from setproctitle import setproctitle

from service.contract.kernel import become_subreaper, die_with_parent
from service.contract.process_title import process_title
from workers.descendants import kill_descendants, reap
from workers.launcher.local.ranks import RankMain
from workers.launcher.local.signal_pipe import SignalPipe
from workers.launcher.local.spawn_request import MAX_MESSAGE_BYTES, SpawnEnded, SpawnRequest
from workers.launcher.local.supervisor import supervise
from workers.rendezvous import MasterSocket


def main() -> int:
    """Serve spawn requests until the agent closes the socket or dies, then kill all descendants."""
    _, control_fd, agent_pid, entry = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(int(agent_pid), signal.SIGTERM)
    become_subreaper()
    setproctitle(process_title("loading"))
    # OpenBLAS starts its threads at import, and a fork would lose them.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    # What modules make lives as long as the process: looking for garbage among it takes a quarter
    # of the import.
    gc.disable()
    rank_main: RankMain = pkgutil.resolve_name(entry)
    gc.freeze()
    gc.enable()
    setproctitle(process_title("warm"))
    control = socket.socket(fileno=int(control_fd))
    _Warm(control, int(agent_pid), rank_main).serve()
    return 0


class _Warm:
    def __init__(self, control: socket.socket, agent_pid: int, main: RankMain) -> None:
        self._control, self._agent_pid, self._main = control, agent_pid, main
        self._requests: dict[int, int] = {}
        self._signal_pipe = SignalPipe()

    def serve(self) -> None:
        try:
            while os.getppid() == self._agent_pid:
                if self._signal_pipe.wait(self._control) and not self._receive():
                    break
                self._reap()
        except BrokenPipeError:
            return
        finally:
            kill_descendants()

    def _receive(self) -> bool:
        message, fds, _, _ = socket.recv_fds(self._control, MAX_MESSAGE_BYTES, 2)
        if not message:
            return False
        request = SpawnRequest.model_validate_json(message)
        channel, *listening = [socket.socket(fileno=fd) for fd in fds]
        warm_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            master = MasterSocket(listening[0]) if listening else None
            self._supervise(request, channel, warm_pid, master)
        for passed in (channel, *listening):
            passed.close()
        self._requests[pid] = request.number
        return True

    def _supervise(
        self,
        request: SpawnRequest,
        channel: socket.socket,
        warm_pid: int,
        master: MasterSocket | None,
    ) -> None:
        status = 1
        try:
            self._control.close()
            self._signal_pipe.close()
            supervise(request, channel, self._main, warm_pid, master)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        ended = {pid: status for pid in self._requests if (status := reap(pid)) is not None}
        # A child that is not a supervisor is an orphan of a supervisor that was killed.
        kill_descendants(keep=self._requests.keys() - ended.keys())
        for pid, status in ended.items():
            message = SpawnEnded(number=self._requests.pop(pid), status=status)
            self._control.send(message.model_dump_json().encode())


if __name__ == "__main__":
    sys.exit(main())
