"""What a server's process and its PostgreSQL have used: CPU time, durable commits, WAL."""

from dataclasses import astuple, dataclass

import psutil
from sqlalchemy import text

from service.store.engine import Database

# A transaction gets a number when it first writes, and is flushed when it commits.
_STATE = text(
    "SELECT pg_backend_pid(), txid_snapshot_xmax(txid_current_snapshot()), "
    "pg_current_wal_insert_lsn() - '0/0'"
)


@dataclass(frozen=True)
class Usage:
    """Seconds of CPU of the server and of all processes of PostgreSQL, commits and bytes of WAL."""

    server_seconds: float
    postgres_seconds: float
    commits: float
    wal_bytes: float

    def minus(self, other: "Usage") -> "Usage":
        """What came since another reading."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Usage(*(own - before for own, before in pairs))

    def times(self, factor: float) -> "Usage":
        """So many times as much."""
        return Usage(*(factor * value for value in astuple(self)))


def usage(database: Database, server: int) -> Usage:
    """Since the start of the process `server` and of the PostgreSQL of the database."""
    with database.read() as tx:
        backend, commits, wal_bytes = tx.execute(_STATE).one()
    postmaster = psutil.Process(backend).parent()
    assert postmaster is not None
    ended = postmaster.cpu_times()
    living = [postmaster, *postmaster.children(recursive=True)]
    postgres = ended.children_user + ended.children_system + sum(map(_seconds, living))
    return Usage(_seconds(psutil.Process(server)), postgres, commits, float(wal_bytes))


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
