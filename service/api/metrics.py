"""The server's own figures for Prometheus."""

from collections.abc import Iterator, Sequence

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from service.api.dependencies import Context
from service.contract.loop import Loop

router = APIRouter(tags=["ops"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def server_metrics(context: Context) -> Response:
    """Turns and errors of the server's loops, in Prometheus' text form."""
    registry = CollectorRegistry()
    registry.register(_LoopCounts(context.loops))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


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
