"""What this server counts and times while it runs, for Prometheus."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics import MetricWrapperBase

from service.contract.time_spent import TimeSpent
from service.store.measurements import Measurement

_HTTP_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
_BEAT_BUCKETS = (1.0, 5.0, 10.0, 12.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0)
_QUEUE_BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 24 * 3600.0, 7 * 86_400.0)
_SAVE_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

# Each counter would come with a second metric, of its time of creation.
disable_created_metrics()  # type: ignore[no-untyped-call]


class ServerMetrics:
    """The metrics of one server; two servers in one process share none."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Histogram(
            "trainyard_http_request_seconds",
            "Time until the answer to a request began, by the template of its route.",
            ["method", "route", "status"],
            buckets=_HTTP_BUCKETS,
            registry=registry,
        )
        self._request_children: dict[tuple[str, str, int], Histogram] = {}
        self._beats = Histogram(
            "trainyard_heartbeat_interval_seconds",
            "Time between two heartbeats of one worker at this server.",
            buckets=_BEAT_BUCKETS,
            registry=registry,
        )
        self.space_free = Gauge(
            "trainyard_space_free_bytes",
            "Bytes that the disk of a place has free.",
            ["place"],
            registry=registry,
        )
        self.space_total = Gauge(
            "trainyard_space_total_bytes",
            "Bytes of the disk of a place.",
            ["place"],
            registry=registry,
        )
        self.database_bytes = Gauge(
            "trainyard_database_bytes", "Size of the database.", registry=registry
        )
        self._last_beats: dict[str, float] = {}
        self._measured = _measured_metrics(registry)
        # A rate needs a first value before the first event.
        for activity in TimeSpent.model_fields:
            self._measured["attempt_time_seconds"].labels(activity.removesuffix("_seconds"))
        for outcome in ("delivered", "failed", "given_up"):
            self._measured["webhook_tries"].labels(outcome)
        for outcome in ("done", "refused", "away"):
            self._measured["mlflow_uploads"].labels(outcome)

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request whose answer began after `seconds`."""
        key = (method, route, status)
        child = self._request_children.get(key)
        if child is None:
            child = self._request_children[key] = self._requests.labels(method, route, status)
        child.observe(seconds)

    def observe_heartbeat(self, worker_id: str, seconds: float, most_seconds: float) -> None:
        """Count a heartbeat that came at `seconds` of any clock.

        A worker that was silent for more than `most_seconds` begins anew.
        """
        last = self._last_beats.pop(worker_id, None)
        if last is not None and seconds - last <= most_seconds:
            self._beats.observe(seconds - last)
        self._last_beats[worker_id] = seconds
        oldest = next(iter(self._last_beats))
        if seconds - self._last_beats[oldest] > most_seconds:
            del self._last_beats[oldest]

    def observe(self, measurements: Sequence[Measurement]) -> None:
        """Count what a committed transaction has measured."""
        for each in measurements:
            metric = self._measured[each.metric]
            child = metric.labels(*each.labels) if each.labels else metric
            if isinstance(child, Histogram):
                child.observe(each.value)
            else:
                assert isinstance(child, Counter)
                child.inc(each.value)


def _measured_metrics(registry: CollectorRegistry) -> dict[str, MetricWrapperBase]:
    """By the name that transactions give it."""
    return {
        "claims": Counter(
            "trainyard_claims", "Jobs that workers have claimed.", ["kind"], registry=registry
        ),
        "queue_wait_seconds": Histogram(
            "trainyard_queue_wait_seconds",
            "Time from a job's submission to its first claim.",
            ["kind"],
            buckets=_QUEUE_BUCKETS,
            registry=registry,
        ),
        "attempts_ended": Counter(
            "trainyard_attempts_ended",
            "Attempts that have ended, by their state and the reason.",
            ["state", "reason"],
            registry=registry,
        ),
        "checkpoints_published": Counter(
            "trainyard_checkpoints_published", "Checkpoints in the index.", registry=registry
        ),
        "checkpoint_bytes": Counter(
            "trainyard_checkpoints_published_bytes", "Bytes of those.", registry=registry
        ),
        "checkpoint_save_seconds": Histogram(
            "trainyard_checkpoint_save_seconds",
            "Time from the copy of the tensors to the published folder.",
            buckets=_SAVE_BUCKETS,
            registry=registry,
        ),
        "attempt_time_seconds": Counter(
            "trainyard_attempt_time_seconds",
            "Time of running attempts by what it was spent on; save is the wait for checkpoints.",
            ["activity"],
            registry=registry,
        ),
        "heartbeats": Counter("trainyard_heartbeats", "Heartbeats of workers.", registry=registry),
        "webhook_events": Counter(
            "trainyard_webhook_events", "Events that webhooks may be told.", registry=registry
        ),
        "webhook_tries": Counter(
            "trainyard_webhook_tries",
            "Tries to send a message to a webhook: delivered, failed, or given up.",
            ["outcome"],
            registry=registry,
        ),
        "mlflow_uploads": Counter(
            "trainyard_mlflow_uploads",
            "Jobs brought up to date in MLflow: done, refused by it, or away as it did not answer.",
            ["outcome"],
            registry=registry,
        ),
        "quarantines": Counter(
            "trainyard_quarantines", "Workers put into quarantine.", registry=registry
        ),
    }
