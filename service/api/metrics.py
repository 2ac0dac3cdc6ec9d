"""The server's own figures for Prometheus."""

from collections.abc import Iterator, Sequence

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.api.dependencies import Context
from service.contract.loop import Loop
from service.control.scheduling.state_counts import CountedStates

router = APIRouter(tags=["ops"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def server_metrics(context: Context) -> Response:
    """What the server counts and times, in Prometheus' text form: see docs/observability.md.

    Jobs and workers are counted at most every ten seconds, by indexes, however many ask.
    """
    registry = CollectorRegistry()
    registry.register(_LoopCounts(context.loops))
    registry.register(_StateGauges(context.state_counter.counted(context.now())))
    text = generate_latest(context.metrics.registry) + generate_latest(registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


class _LoopCounts(Collector):
    def __init__(self, loops: Sequence[Loop]) -> None:
        self._loops = loops

    def collect(self) -> Iterator[CounterMetricFamily]:
        turns = CounterMetricFamily(
            "trainyard_loop_turns", "Turns of a loop of this server.", labels=["loop"]
        )
        errors = CounterMetricFamily(
            "trainyard_loop_errors", "Turns of a loop that raised an error.", labels=["loop"]
        )
        for loop in self._loops:
            turns.add_metric([loop.name], loop.turns)
            errors.add_metric([loop.name], loop.errors)
        yield turns
        yield errors


class _StateGauges(Collector):
    """What the database has; every server over one database shows the same."""

    def __init__(self, states: CountedStates) -> None:
        self._states = states

    def collect(self) -> Iterator[Metric]:
        states = self._states
        up = GaugeMetricFamily("trainyard_database_up", "1 if the database answered the count.")
        up.add_metric([], float(states.counts is not None))
        yield up
        if states.counts is None:
            return
        jobs = GaugeMetricFamily("trainyard_jobs", "Jobs.", labels=["recipe", "state"])
        for (recipe, state), count in states.jobs.items():
            jobs.add_metric([recipe, state], count)
        yield jobs
        rates = GaugeMetricFamily(
            "trainyard_images_per_second", "Rate of the running jobs.", labels=["recipe"]
        )
        for recipe, rate in states.images_per_second.items():
            rates.add_metric([recipe], rate)
        yield rates
        workers = GaugeMetricFamily(
            "trainyard_workers", "Workers that have not ended.", labels=["state"]
        )
        for state, count in states.counts.workers.items():
            workers.add_metric([state], count)
        yield workers
        live = GaugeMetricFamily(
            "trainyard_live_attempts", "Attempts with a lease.", labels=["state"]
        )
        for state, count in states.counts.live_attempts.items():
            live.add_metric([state], count)
        yield live
        yield from self._ages()

    def _ages(self) -> Iterator[Metric]:
        queued = GaugeMetricFamily(
            "trainyard_queue_oldest_seconds", "Time since the oldest queued job was submitted."
        )
        queued.add_metric([], self._states.oldest_queued_seconds)
        yield queued
        silent = GaugeMetricFamily(
            "trainyard_worker_silence_seconds",
            "Time since the worker called that has been silent for longest.",
        )
        silent.add_metric([], self._states.longest_silence_seconds)
        yield silent
