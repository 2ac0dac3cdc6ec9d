"""What a worker counts and measures, for Prometheus; imported only where it is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.contract.samples import Sample
from workers.agent.figures import AgentFigures


@dataclass(frozen=True)
class MetricsAddress:
    """Where the metrics are; port 0 is one that the system chooses."""

    host: str
    port: int


def serve_metrics(address: MetricsAddress, read: Callable[[], AgentFigures]) -> int:
    """Answer `GET /metrics` in threads of its own until the process ends; gives the port.

    Raises OSError for an address that cannot be listened on.
    """
    registry = CollectorRegistry()
    registry.register(_Figures(read))
    server, _ = start_http_server(address.port, address.host, registry)
    return int(server.server_port)


class _Figures(Collector):
    def __init__(self, read: Callable[[], AgentFigures]) -> None:
        self._read = read

    def describe(self) -> Iterator[Metric]:
        # The names are fixed: a registry that asks need not read the figures.
        return iter(())

    def collect(self) -> Iterator[Metric]:
        figures = self._read()
        yield _gauge("attempts", "Attempts that run now.", figures.attempts)
        yield _gauge("free_slots", "Further attempts that it could run.", figures.free_slots)
        yield _gauge("waiting_event_bytes", "Events not acknowledged yet.", figures.waiting_bytes)
        yield _counter("claims", "Jobs that it has claimed.", figures.claims)
        beats = CounterMetricFamily(
            "trainyard_worker_heartbeats", "Heartbeats by outcome.", labels=["outcome"]
        )
        beats.add_metric(["answered"], figures.heartbeats_answered)
        beats.add_metric(["failed"], figures.heartbeats_failed)
        yield beats
        if figures.silence_seconds is not None:
            text = "Time since the server last answered a heartbeat."
            yield _gauge("silence_seconds", text, figures.silence_seconds)
        if figures.sample is not None:
            yield from _use(figures.sample)


def _use(sample: Sample) -> Iterator[Metric]:
    parts = {
        "cpu_use": ("Part of all cores' time.", sample.cpu_use),
        "memory_used_bytes": ("Memory of the host in use.", sample.memory_used_bytes),
        "memory_total_bytes": ("Memory of the host.", sample.memory_total_bytes),
        "disk_used_bytes": ("Used bytes of the volume's disk.", sample.disk_used_bytes),
        "disk_total_bytes": ("Bytes of the volume's disk.", sample.disk_total_bytes),
    }
    for name, (text, value) in parts.items():
        if value is not None:
            yield _gauge(name, text, value)
    gpu_parts = {
        "use": "Part of the time in which a GPU computed.",
        "memory_used_bytes": "Memory of a GPU in use.",
        "memory_total_bytes": "Memory of a GPU.",
        "temperature_celsius": "Temperature of a GPU.",
        "power_watts": "Power of a GPU.",
    }
    for name, text in gpu_parts.items():
        family = GaugeMetricFamily(f"trainyard_worker_gpu_{name}", text, labels=["gpu"])
        for gpu in sample.gpus:
            value = getattr(gpu, name)
            if value is not None:
                family.add_metric([str(gpu.index)], value)
        yield family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"trainyard_worker_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"trainyard_worker_{name}", text, value=value)
