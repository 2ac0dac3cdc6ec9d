"""Jobs submitted a second over HTTP, each durable, against the inserts of the database alone."""

import shutil
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import closing
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
    """Submissions a second, and the server's CPU time for each."""

    per_second: float
    cpu_milliseconds: float = 0.0


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
            "of its own, on SQLite with synchronous=FULL. The clients are threads of one process, "
            "each with a connection that it keeps and an idempotency key for each job; they share "
            "the cores with the server."
        ),
        columns=("database", "what", "a second", "of the database alone", "server's CPU for each"),
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
        cpu = median(each.cpu_milliseconds for each in rates)
        rows.append((name, f"{rate:.0f}", f"{rate / alone:.0%}", f"{cpu:.2f} ms" if cpu else ""))
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
    counts = [0] * clients
    until = time.perf_counter() + seconds

    def submit(client: int) -> None:
        with closing(_Client(server.url)) as connection:
            for number in count():
                if time.perf_counter() >= until:
                    return
                connection.submit(f"{until}-{client}-{number}", 0.001 * (number % 1000 + 1))
                counts[client] += 1

    threads = [threading.Thread(target=submit, args=(client,)) for client in range(clients)]
    before = process.cpu_times()
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - began
    after = process.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    return Rate(sum(counts) / elapsed, cpu / sum(counts) * 1e3)


class _Client:
    """The cheapest client that there is: the server is measured, beside it on the same cores."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        assert address.hostname is not None
        assert address.port is not None
        self._host = address.netloc.encode()
        self._socket = socket.create_connection((address.hostname, address.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def submit(self, key: str, learning_rate: float) -> None:
        """Submit one job; fails unless it is answered 201."""
        body = _SPEC % learning_rate
        head = (
            b"POST /jobs HTTP/1.1\r\nhost: %b\r\ncontent-type: application/json\r\n"
            b"idempotency-key: %b\r\ncontent-length: %d\r\n\r\n"
        )
        self._socket.sendall(head % (self._host, key.encode(), len(body)) + body)
        answer = self._answer()
        assert answer.startswith(b"HTTP/1.1 201"), answer

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _answer(self) -> bytes:
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._socket.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        while len(body) < length:
            body += self._socket.recv(65536)
        return head + b"\r\n\r\n" + body
