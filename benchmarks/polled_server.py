"""Servers that are polled: the CPU time that a request costs them, and jobs to poll."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server

_CONNECTIONS = 8
"""Pollers at once, as pages and programs that watch jobs are."""


@dataclass(frozen=True)
class Poll:
    """A request; an unchanged one has the ETag of the answer before, and is answered 304.

    `before` runs before each request, and is not measured. With `other_paths` those who ask at the
    same time ask for these as well, in turn.
    """

    path: str
    unchanged: bool = False
    before: Callable[[], None] | None = None
    other_paths: tuple[str, ...] = ()

    def head(self, number: int) -> str:
        """The head of the request over a connection, without its end."""
        paths = (self.path, *self.other_paths)
        path = paths[number % len(paths)]
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"


class PolledServer:
    """A server's process, polled over connections that are kept open."""

    def __init__(self, pid: int, url: str, headers: Mapping[str, str] | None = None) -> None:
        """`headers` go with every request, as a token does."""
        self._headers = "".join(f"{name}: {text}\r\n" for name, text in (headers or {}).items())
        # The clock of all CPU time of that process: see clock_getcpuclockid(3).
        self._clock = (~pid << 3) | 2
        address = urlsplit(url)
        self._address = str(address.hostname), address.port or 80

    def cpu_seconds(self, poll: Poll, times: int) -> float:
        """The CPU time that the process spends on one such request, as the mean of so many."""
        with ExitStack() as stack:
            count = _CONNECTIONS if poll.before is None else 1
            connections = [stack.enter_context(_Connection(self._address)) for _ in range(count)]
            for number, each in enumerate(connections):
                each.ask(f"{poll.head(number)}{self._headers}")
            first = [each.answer() for each in connections]
            sent = self._headers
            if poll.unchanged:
                sent += f"If-None-Match: {first[0].etag}\r\n"
            spent = 0.0
            for _ in range(times // count):
                if poll.before is not None:
                    poll.before()
                began = time.clock_gettime(self._clock)
                for number, each in enumerate(connections):
                    each.ask(f"{poll.head(number)}{sent}")
                answers = [each.answer() for each in connections]
                spent += time.clock_gettime(self._clock) - began
                expected = 304 if poll.unchanged else 200
                assert {each.status for each in answers} == {expected}, f"{poll.path}: {answers}"
            return spent / (times // count * count)


class _Connection:
    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address)
        self._received = self._socket.makefile("rb")

    def ask(self, head: str) -> None:
        self._socket.sendall(f"{head}\r\n".encode())

    def answer(self) -> "_Answer":
        return _Answer.read(self._received)

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._received.close()
        self._socket.close()


@dataclass(frozen=True)
class _Answer:
    status: int
    etag: str

    @classmethod
    def read(cls, answers: BinaryIO) -> "_Answer":
        """The next answer, with all of its body."""
        status, headers = int(answers.readline().split()[1]), {}
        while (line := answers.readline()) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        answers.read(int(headers.get("content-length", 0)))
        return cls(status, headers.get("etag", ""))


class ConstantServer:
    """The application that answers a constant, in a process of its own."""

    def __init__(self, protocol: str) -> None:
        command = [sys.executable, "-m", "benchmarks.constant_server", protocol]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.polled = PolledServer(self._process.pid, self._process.stdout.readline().strip())

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self._process.terminate()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait(30)


class FilledJobs:
    """Jobs of a server: a third each has ended, runs and waits; each running one can be changed."""

    def __init__(self, server: Server, count: int, token: str | None = None) -> None:
        self._agent, self._step = FakeAgent(server, token=token), 0
        self._agent.put(slots=count)
        third = count // 3
        for number in range(count - third):
            self._agent.submit(name=f"job {number}", labels={"team": "vision"})
        self._claims = [self._agent.claim() for _ in range(count - third)]
        for number, claim in enumerate(self._claims[:third]):
            self._agent.save(claim, 1)
            outcome = ("failed", "crashed") if number % 2 else ("succeeded", "finished")
            self._agent.report(claim, *outcome)
        del self._claims[:third]
        names = [f"waiting job {number}" for number in range(third)]
        self.waiting = str([self._agent.submit(name=name)["id"] for name in names][-1])
        self.change()

    @property
    def running(self) -> str:
        """The id of a job that runs."""
        return str(self._claims[0]["job_id"])

    def change(self, most: int | None = None) -> None:
        """Progress of the running jobs, at most so many, as their worker reports it."""
        self._step += 1
        body = {"phase": "train", "step": self._step, "total_steps": 10**6}
        body |= {"metrics": {"loss": 1 / self._step, "top1_error": 0.5}}
        for claim in self._claims[:most]:
            self._agent.beat(claim, ("progress", body))

    def close(self) -> None:
        """End the agent's connection."""
        self._agent.http.close()
