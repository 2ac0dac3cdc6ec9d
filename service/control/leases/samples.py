"""Samples of the workers' use: kept in memory for seconds, stored together, read as series."""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.contract.samples import Sample, WorkerSamples
from service.contract.workers import Worker, WorkerDetail
from service.control.leases import workers as use_cases
from service.control.scheduling import catalogs
from service.domain.errors import NotFound
from service.store import attempts, workers
from service.store import samples as store
from service.store.samples import Span, StoredSample

SAMPLE_RETENTION = timedelta(days=7)
_LAST_SECONDS = 3600
"""The last sample of a worker is no older."""

_Gpus = Mapping[tuple[str, int], tuple[int, ...]]
"""By the job and the number of an attempt the GPUs that it uses."""


class SampleBuffer:
    """The newest sample of each worker that is not stored yet; for threads.

    A heartbeat adds one without a statement of its own. A server that dies loses the last seconds.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, StoredSample] = {}
        self._noted: dict[str, _Gpus] = {}
        self._lock = threading.Lock()

    def add(self, worker_id: str, sample: Sample | None, now: datetime) -> None:
        """Keep a sample until the next `take`; none is nothing."""
        if sample is not None:
            with self._lock:
                self._waiting[worker_id] = StoredSample(worker_id, seconds_of(now), sample)

    def take(self) -> list[StoredSample]:
        """What is to be stored, which is kept no longer."""
        with self._lock:
            taken, self._waiting = list(self._waiting.values()), {}
        return taken

    def put_back(self, taken: Sequence[StoredSample]) -> None:
        """Keep what could not be stored, unless there is a newer sample of its worker."""
        with self._lock:
            self._waiting = {each.worker_id: each for each in taken} | self._waiting

    def changed_gpus(self, taken: Sequence[StoredSample]) -> dict[str, _Gpus]:
        """By worker the GPUs of its attempts, where they are others than `note_gpus` had."""
        gpus = {each.worker_id: _gpus_of(each.sample) for each in taken}
        return {id_: each for id_, each in gpus.items() if each != self._noted.get(id_, {})}

    def note_gpus(self, changed: Mapping[str, _Gpus]) -> None:
        """Note the GPUs of workers' attempts as stored."""
        for worker_id, gpus in changed.items():
            if gpus:
                self._noted[worker_id] = gpus
            else:
                self._noted.pop(worker_id, None)


def put(tx: Connection, taken: Sequence[StoredSample], gpus: Mapping[str, _Gpus]) -> None:
    """Store samples by one statement, and which GPUs attempts use by another one."""
    store.add(tx, taken)
    attempts.note_gpus(
        tx, [(id_, key, indices) for id_, used in gpus.items() for key, indices in used.items()]
    )


def with_last(tx: Connection, listed: Sequence[Worker], now: datetime) -> list[Worker]:
    """The workers, each with its last sample of the last hour."""
    last = store.last_of(tx, [each.id for each in listed], seconds_of(now) - _LAST_SECONDS)
    return [_with_sample(worker, last.get(worker.id)) for worker in listed]


def detail(tx: Connection, worker_id: str, now: datetime) -> WorkerDetail:
    """One worker with its jobs, its last sample and what it can run; raises NotFound."""
    (worker,) = with_last(tx, [use_cases.get(tx, worker_id)], now)
    offer = catalogs.offer_of(tx, worker)
    return WorkerDetail.model_validate(
        dict(worker) | {"recipes": tuple(offer.forms), "kinds": tuple(sorted(offer.kinds))}
    )


def of_worker(
    tx: Connection, worker_id: str, since: datetime | None, max_points: int, now: datetime
) -> WorkerSamples:
    """The series of a worker's samples since a moment, at most of a week; raises NotFound."""
    if workers.get(tx, worker_id) is None:
        raise NotFound("no_such_worker", f"there is no worker {worker_id}")
    until = seconds_of(now)
    span = Span(worker_id, since_within(since, now), until)
    table = store.tables_of(tx, [span]).get(worker_id)
    series = table.series(span.since, until, max_points) if table is not None else {}
    return WorkerSamples.model_construct(worker_id=worker_id, series=series)


def since_within(since: datetime | None, now: datetime) -> int:
    """A moment in seconds since 1970, not before the first that is kept; None is that one."""
    first = seconds_of(now - SAMPLE_RETENTION)
    return first if since is None else max(seconds_of(since), first)


def seconds_of(moment: datetime) -> int:
    """A moment in whole seconds since 1970."""
    return int(moment.timestamp())


def _gpus_of(sample: Sample) -> dict[tuple[str, int], tuple[int, ...]]:
    gpus: dict[tuple[str, int], tuple[int, ...]] = {}
    for gpu in sample.gpus:
        if gpu.job_id is not None and gpu.attempt is not None:
            key = gpu.job_id, gpu.attempt
            gpus[key] = (*gpus.get(key, ()), gpu.index)
    return gpus


def _with_sample(worker: Worker, last: StoredSample | None) -> Worker:
    if last is None:
        return worker
    at = datetime.fromtimestamp(last.at, tz=worker.last_seen_at.tzinfo)
    return worker.model_copy(update={"sample": last.sample, "sampled_at": at})
