"""What the events of one heartbeat change of their job."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.contract.jobs import Job, Progress
from service.contract.time_spent import TimeSpent

MOST_SERIES = 100
"""Names of metrics that a job may have: a page asks for all of its series at once."""


@dataclass
class EventBatch:
    """What the events of one heartbeat add up to: one change of the job, some metric points."""

    job: Job
    attempt: int
    now: datetime
    metrics: dict[str, float]
    values: dict[str, Any] = field(default_factory=dict)
    points: list[tuple[str, int, float]] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    notes: int | None = None

    def add_metrics(self, step: int, metrics: dict[str, float]) -> None:
        """The last value of each name for the job, and a point of each series."""
        for name, value in metrics.items():
            if name not in self.metrics and len(self.metrics) >= MOST_SERIES:
                self.left_out.add(name)
                continue
            self.metrics[name] = value
            self.points.append((name, step, value))
        self.values["metrics"] = self.metrics

    def set_progress(self, step: int, total_steps: int, phase: str, **speed: float | None) -> None:
        """How far the attempt is."""
        self._set(
            step=step,
            total_steps=total_steps,
            fraction=min(step / max(total_steps, 1), 1.0),
            phase=phase,
            **{"eta_seconds": None, "images_per_second": None} | speed,
        )

    def begin_time(self) -> None:
        """An attempt begins: what the job has spent so far is that of the attempts before it."""
        self._set(earlier_time_spent=self._progress.time_spent)

    def set_time(self, spent: TimeSpent | None) -> None:
        """What the attempt has spent so far, if it has reported it."""
        if spent is not None:
            self.values["progress"] = self._progress.with_time(spent).model_dump()

    @property
    def _progress(self) -> Progress:
        stored = self.values.get("progress")
        return self.job.progress if stored is None else Progress.model_validate(stored)

    def _set(self, **fields: Any) -> None:
        self.values["progress"] = self._progress.model_copy(update=fields).model_dump()
