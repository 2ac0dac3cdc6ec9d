"""Faults drawn from a seed, injected into real processes, the network, the disk and the clock."""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from api_tests.support.installation import Installation, kill
from chaos.history import History
from chaos.proxy import LOSSY, NO_FAULTS, Proxy
from service.contract.process_title import process_title
from workers.launcher.local.launcher import WORKER_ID

Process = subprocess.Popen[bytes]
Action = Callable[[], str | None]
_LOSSY_SHARE = 0.7
_SPARE_BYTES = 4096


class FaultInjector:
    """Injects faults into a server, its workers, their network, the disk and the clock.

    `disk` is the folder of a small file system of its own, or None where there is none to fill.
    """

    def __init__(
        self,
        installation: Installation,
        proxy: Proxy,
        history: History,
        seed: int,
        *,
        clock: Path,
        disk: Path | None,
        reassign_seconds: float,
        workers: int = 3,
    ) -> None:
        self._installation, self._proxy, self._history = installation, proxy, history
        # The order of faults depends on the seed alone, their targets on what is running.
        self._order, self._rng = random.Random(seed), random.Random(seed)
        self._clock, self._disk, self._reassign_seconds = clock, disk, reassign_seconds
        self._ahead_seconds = 0.0
        self.workers = [self._start_worker() for _ in range(workers)]
        self._later: list[threading.Thread] = []
        self._busy: set[int] = set()
        self._faults: list[Action] = [
            self._kill_a_rank,
            self._kill_a_rank,
            self._kill_a_worker,
            self._drain_a_worker,
            self._stop_an_agent,
            self._stop_a_tree,
            self._kill_the_server,
            self._restart_the_server,
            self._cut_the_network,
            self._jump_the_clock,
            *([self._fill_the_disk] if disk is not None else []),
        ]

    def inject(
        self, until: Callable[[], bool], longest_gap_seconds: float, actions: Sequence[Action] = ()
    ) -> None:
        """Inject faults and do users' `actions`, in a drawn order, until `until` is true."""
        bag: list[Action] = []
        everything = [*self._faults, *actions]
        while not until():
            if not bag:
                bag = self._order.sample(everything, len(everything))
            self._proxy.faults = LOSSY if self._order.random() < _LOSSY_SHARE else NO_FAULTS
            fault = bag.pop()
            target = fault()
            if target is not None:
                name = fault.__name__.strip("_").replace("_", " ")
                self._history.note("fault", what=name, whom=target)
            self._wait(self._order.uniform(0.2, longest_gap_seconds), until)

    def undo_faults(self) -> None:
        """End the faults that last, and start the workers that have ended."""
        for thread in self._later:
            thread.join()
        self._proxy.faults = NO_FAULTS
        for number, worker in enumerate(self.workers):
            if worker.poll() is not None:
                self.workers[number] = self._start_worker()
        self._history.note("stopped", faulty_replies=self._proxy.faulty_replies)

    def _wait(self, seconds: float, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not until():
            time.sleep(0.1)

    def _start_worker(self) -> Process:
        return self._installation.start_worker(SERVER=self._proxy.url)

    def _someone(self) -> int | None:
        there = [n for n, w in enumerate(self.workers) if n not in self._busy and w.poll() is None]
        return self._rng.choice(there) if there else None

    def _kill_a_rank(self) -> str | None:
        number = self._someone()
        if number is None:
            return None
        began, worker_id = time.time(), self._id_of(number)
        for process in psutil.Process(self.workers[number].pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if " ".join(process.cmdline()).startswith(process_title("rank-")):
                    process.kill()
                    self._history.note_fault("kill a rank", began, worker_id)
                    return f"rank {process.pid} of worker {number}"
        return None

    def _kill_a_worker(self) -> str | None:
        number = self._someone()
        if number is None:
            return None
        began, worker_id = time.time(), self._id_of(number)
        kill(self.workers[number])
        self.workers[number] = self._start_worker()
        self._history.note_fault("kill a worker", began, worker_id)
        return f"worker {number}"

    def _drain_a_worker(self) -> str | None:
        number = self._someone()
        if number is None:
            return None
        self._busy.add(number)
        began, worker_id = time.time(), self._id_of(number)
        self.workers[number].send_signal(signal.SIGTERM)

        def replace() -> None:
            self.workers[number].wait()
            self._history.note_fault("drain a worker", began, worker_id)
            self.workers[number] = self._start_worker()
            self._busy.discard(number)

        self._do_later(replace)
        return f"worker {number}"

    def _stop_an_agent(self) -> str | None:
        return self._stop(tree=False)

    def _stop_a_tree(self) -> str | None:
        return self._stop(tree=True)

    def _stop(self, *, tree: bool) -> str | None:
        number = self._someone()
        if number is None:
            return None
        self._busy.add(number)
        began, worker_id = time.time(), self._id_of(number)
        agent = psutil.Process(self.workers[number].pid)
        stopped = [agent]
        _signal(stopped, signal.SIGSTOP)
        if tree:
            # A stopped agent starts nothing more: its family is complete.
            stopped += agent.children(recursive=True)
            _signal(stopped, signal.SIGSTOP)
        seconds = self._reassign_seconds + self._rng.uniform(2.0, 6.0)

        def go_on() -> None:
            time.sleep(seconds)
            _signal(stopped, signal.SIGCONT)
            what = "stop a tree" if tree else "stop an agent"
            self._history.note_fault(what, began, worker_id)
            self._busy.discard(number)

        self._do_later(go_on)
        return f"worker {number} for {seconds:.1f} s"

    def _kill_the_server(self) -> str:
        began = time.time()
        kill(self._installation.server)
        self._installation.start_server()
        self._history.note_fault("kill the server", began)
        return "killed"

    def _restart_the_server(self) -> str:
        began = time.time()
        self._installation.server.terminate()
        status = self._installation.server.wait()
        self._installation.start_server()
        self._history.note_fault("restart the server", began)
        return f"ended with status {status}"

    def _cut_the_network(self) -> str:
        seconds, began = self._rng.uniform(0.5, self._reassign_seconds * 1.3), time.time()
        self._proxy.partition()
        time.sleep(seconds)
        self._proxy.faults = NO_FAULTS
        self._history.note_fault("cut the network", began)
        return f"for {seconds:.1f} s"

    def _jump_the_clock(self) -> str:
        jump = self._rng.choice([3600.0, 3 * self._reassign_seconds, -60.0])
        self._ahead_seconds += jump
        began = time.time()
        new = self._clock.with_name("clock.new")
        new.write_text(str(self._ahead_seconds))
        new.rename(self._clock)
        if jump > 0:
            self._history.note_fault("jump the clock", began)
        return f"{jump:+g} s"

    def _fill_the_disk(self) -> str:
        assert self._disk is not None
        seconds, began = self._rng.uniform(0.5, 2.5), time.time()
        ballast = self._disk / "ballast"
        there = os.statvfs(self._disk)
        with ballast.open("wb") as file, suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, there.f_bavail * there.f_frsize - _SPARE_BYTES)
        time.sleep(seconds)
        ballast.unlink()
        self._history.note_fault("fill the disk", began)
        return f"for {seconds:.1f} s, {1 - there.f_bavail / there.f_blocks:.0%} full before"

    def _id_of(self, number: int) -> str | None:
        """The id that a worker gave itself; None while it has started nothing."""
        for child in psutil.Process(self.workers[number].pid).children():
            with suppress(psutil.Error):
                worker_id: str | None = child.environ().get(WORKER_ID)
                if worker_id is not None:
                    return worker_id
        return None

    def _do_later(self, what: Callable[[], None]) -> None:
        self._later.append(threading.Thread(target=what))
        self._later[-1].start()


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
