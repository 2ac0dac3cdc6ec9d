"""Jobs submitted a second over HTTP, each durable, against the inserts of the database alone."""

import re
import selectors
import shutil
import socket
import sqlite3
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import psutil
import psycopg

from api_tests.support.server import Server
from benchmarks.databases import databases
from benchmarks.report import Figure, Section

GOAL_SHARE = 0.25
_SPEC = (
    b'{"kind":"train","recipe":"oneshot","data":{"dataset":"digits"},"params":{"learning_rate":%g}}'
)
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ROW = "x" * 1200
"""About what a job has in its row."""


@dataclass(frozen=True)
class Scale:
    """How much is measured: rounds of the database alone, one client and many, each so long."""

    rounds: int = 5
    seconds: float = 3.0
    clients: int = 16


@dataclass(frozen=True)
class Rate:
    """Submissions a second, and the CPU time for each: the server's, and that of all clients."""

    per_second: float
    cpu_milliseconds: float = 0.0
    clients_milliseconds: float = 0.0


def measure(scale: Scale = Scale()) -> Section:
    """Both databases: the loop of inserts, one client and many clients, in turn."""
    folder = Path(tempfile.mkdtemp(prefix="submissions-"))
    rows: list[tuple[str, ...]] = []
    figures: list[Figure] = []
    try:
        for kind, url_of in databases(folder):
            results = _measured(folder / f"server-{kind}", url_of(1), url_of(2), scale)
            rows += [(kind, *row) for row in _rows(results, scale)]
            figures.append(_share(kind, results))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Section(
        title="POST /jobs a second, each durable before it is answered",
        says=(
            "The database alone is one thread that inserts a row of 1,200 bytes in a transaction "
            "of its own, on SQLite with synchronous=FULL. The clients are connections of one "
            "thread, each with an idempotency key for each job; they share the cores with the "
            "server, and what they take for a submission is beside what it takes."
        ),
        columns=(
            "database",
            "what",
            "a second",
            "of the database alone",
            "server's CPU for each",
            "clients' CPU for each",
        ),
        rows=tuple(rows),
        figures=tuple(figures),
    )


def _measured(folder: Path, url: str, url_alone: str, scale: Scale) -> list[tuple[Rate, ...]]:
    folder.mkdir()
    server = Server(folder, database_url=url)
    try:
        _submitted(server, 1, scale.seconds / 3)
        return [
            (
                Rate(_inserted(url_alone, scale.seconds)),
                _submitted(server, 1, scale.seconds),
                _submitted(server, scale.clients, scale.seconds),
            )
            for _ in range(scale.rounds)
        ]
    finally:
        server.stop()


def _rows(results: list[tuple[Rate, ...]], scale: Scale) -> list[tuple[str, ...]]:
    names = ("the database alone", "one client", f"{scale.clients} clients")
    alone = median(each[0].per_second for each in results)
    rows: list[tuple[str, ...]] = []
    for name, rates in zip(names, zip(*results, strict=True), strict=True):
        rate = median(each.per_second for each in rates)
        cpus = (
            median(each.cpu_milliseconds for each in rates),
            median(each.clients_milliseconds for each in rates),
        )
        texts = [f"{cpu:.2f} ms" if cpu else "" for cpu in cpus]
        rows.append((name, f"{rate:.0f}", f"{rate / alone:.0%}", *texts))
        sys.stderr.write(f"{' | '.join(rows[-1])}\n")
    return rows


def _share(kind: str, results: list[tuple[Rate, ...]]) -> Figure:
    return Figure(
        key=f"{kind.lower()}.submissions_to_inserts",
        what=f"{kind}, submissions to inserts of the database alone",
        value=median(many.per_second / alone.per_second for alone, _, many in results),
        better="higher",
        goal=GOAL_SHARE,
    )


def _inserted(url: str, seconds: float) -> float:
    """Inserts a second by one thread, each in a transaction of its own."""
    if url.startswith("sqlite"):
        return _inserted_into_sqlite(url.removeprefix("sqlite:///"), seconds)
    insert = "INSERT INTO alone (body) VALUES (%s)"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS alone (number serial PRIMARY KEY, body text)"
        )
        began, inserted = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            connection.execute(insert, (_ROW,))
            inserted += 1
        return inserted / (time.perf_counter() - began)


def _inserted_into_sqlite(file: str, seconds: float) -> float:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS alone (number INTEGER PRIMARY KEY, body)")
        began, inserted = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            connection.execute("INSERT INTO alone (body) VALUES (?)", (_ROW,))
            inserted += 1
        return inserted / (time.perf_counter() - began)


def _submitted(server: Server, clients: int, seconds: float) -> Rate:
    process = psutil.Process(server.process.pid)
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(_Client(server.url))) for _ in range(clients)]
        readable = stack.enter_context(selectors.DefaultSelector())
        for each in connections:
            readable.register(each, selectors.EVENT_READ, each)
        before, began = process.cpu_times(), time.perf_counter()
        clients_before = time.process_time()
        submitted = _keep_submitting(connections, readable, began + seconds)
        elapsed = time.perf_counter() - began
        clients_cpu = time.process_time() - clients_before
        after = process.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    return Rate(submitted / elapsed, cpu / submitted * 1e3, clients_cpu / submitted * 1e3)


def _keep_submitting(
    connections: list["_Client"], readable: selectors.BaseSelector, until: float
) -> int:
    """Have each client submit its next job when the one before is answered; gives how many were."""
    numbers = count()
    submitted = 0

    def submit(connection: _Client) -> None:
        number = next(numbers)
        connection.submit(f"{until}-{number}", 0.001 * (number % 1000 + 1))

    for each in connections:
        submit(each)
    waiting = len(connections)
    while waiting:
        for key, _ in readable.select():
            connection: _Client = key.data
            if not connection.is_answered():
                continue
            submitted += 1
            if time.perf_counter() < until:
                submit(connection)
            else:
                waiting -= 1
    return submitted


class _Client:
    """The cheapest client that there is: the server is measured, beside it on the same cores."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        assert address.hostname is not None
        assert address.port is not None
        self._host = address.netloc.encode()
        self._socket = socket.create_connection((address.hostname, address.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def fileno(self) -> int:
        """The descriptor that becomes readable with a part of an answer."""
        return self._socket.fileno()

    def submit(self, key: str, learning_rate: float) -> None:
        """Send one submission."""
        body = _SPEC % learning_rate
        head = (
            b"POST /jobs HTTP/1.1\r\nhost: %b\r\ncontent-type: application/json\r\n"
            b"idempotency-key: %b\r\ncontent-length: %d\r\n\r\n"
        )
        self._socket.sendall(head % (self._host, key.encode(), len(body)) + body)

    def is_answered(self) -> bool:
        """Read what there is, and whether the answer is whole; fails unless it is 201."""
        part = self._socket.recv(65536)
        assert part, f"the server has closed a connection after {self._received!r}"
        self._received += part
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return False
        assert head.startswith(b"HTTP/1.1 201"), self._received
        length = _LENGTH.search(head)
        assert length is not None, head
        if len(body) < int(length[1]):
            return False
        self._received = b""
        return True

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
