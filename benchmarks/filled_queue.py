"""A filled queue, and the workers that claim from it."""

import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text

from service.contract.agent import ClaimRequest
from service.contract.registration import Registration
from service.contract.specs import TrainSpec
from service.control.jobs.submission import submit
from service.control.leases import claims, workers
from service.store.engine import Database
from service.store.migrate import upgrade
from service.store.tables import jobs as jobs_table

BUSY = 64
"""Workers that claim."""

_CHUNK = 10_000
_SPEC = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
_NEEDS: tuple[dict[str, Any], ...] = ({}, {"gpus": 1}, {"labels": {"gpu": "H100"}})
_KERNEL = {"pid_namespace": "p", "pid": 1, "started_ticks": 1}


class Queue:
    """A database with `size` queued jobs of three resource classes, and all the workers.

    The busy ones of them come to hold `batch` attempts each.
    """

    def __init__(self, database: Database, size: int, *, workers: int, batch: int) -> None:
        self.database, self._batch = database, batch
        self.claims, self._made = list[claims.Grant](), 0
        with database.migrate() as tx:
            upgrade(tx)
            for number, needs in enumerate(_NEEDS):
                spec = TrainSpec.model_validate(_SPEC | {"resources": needs})
                submit(tx, spec, job_id=f"like_{number}", key=None, now=now())
            self._like = [dict(row) for row in tx.execute(select(jobs_table)).mappings()]
            tx.execute(jobs_table.delete())
            for start in range(0, size, _CHUNK):
                tx.execute(insert(jobs_table), self._rows(min(_CHUNK, size - start)))
        with database.write() as tx:
            self._register(tx, workers)
        if not database.is_sqlite:
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
                tx.execute(text("VACUUM ANALYZE"))

    def claim(self, number: int) -> float:
        """One claim by the next worker, and how long it took; one like it comes for the job."""
        worker, round_ = number % BUSY, number // BUSY
        request = ClaimRequest(
            worker_id=worker_id(worker),
            request_id=f"r{number}",
            free_slots=self._batch - round_,
            free_gpus=8,
        )
        began = time.perf_counter()
        with self.database.write() as tx:
            claim = claims.claim(tx, request, token=f"t{number}", now=now())
        seconds = time.perf_counter() - began
        assert claim is not None
        self.claims.append(claim)
        with self.database.write() as tx:
            claimed = jobs_table.c.id == claim.job_id
            like = tx.execute(select(jobs_table.c.needs, jobs_table.c.gpus).where(claimed)).one()
            (like_row,) = (row for row in self._like if (row["needs"], row["gpus"]) == like)
            tx.execute(insert(jobs_table), self._row(like_row))
        return seconds

    def _register(self, tx: Connection, count: int) -> None:
        for number in range(count):
            labels = {"gpu": "H100"} if number % 2 else {}
            body = {
                "host": f"host-{number}",
                "process": _KERNEL | {"boot_id": f"b{number}"},
                "slots": self._batch,
                "gpus": [_gpu(i) for i in range(8)],
                "labels": labels,
            }
            workers.register(tx, worker_id(number), Registration.model_validate(body), now())

    def _rows(self, count: int) -> list[dict[str, Any]]:
        return [self._row(self._like[number % len(self._like)]) for number in range(count)]

    def _row(self, like: dict[str, Any]) -> dict[str, Any]:
        self._made += 1
        return like | {"id": f"job_{self._made:09d}", "queue_order": -(self._made * 7919 % 5)}


def worker_id(number: int) -> str:
    """The id of a worker."""
    return f"wrk_{number:04d}"


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def _gpu(index: int) -> dict[str, Any]:
    return {"index": index, "name": "NVIDIA H100", "memory_bytes": 80 << 30}
