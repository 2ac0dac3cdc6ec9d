"""What the events of one heartbeat change of their job."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.contract.checkpoints import Manifest
from service.contract.jobs import Job, Progress
from service.contract.time_spent import TimeSpent
from service.domain.series_names import TIME, TIME_SPENT, is_own_name

RATE = "images_per_second"
MOST_SERIES = 100
"""Names of metrics that a job may have: a page asks for all of its series at once."""


class InvalidEvent(Exception):
    """An event that contradicts the index: the history says so, and the others are applied."""


@dataclass
class EventBatch:
    """What the events of one heartbeat add up to: one change of the job, some metric points."""

    job: Job
    attempt: int
    now: datetime
    metrics: dict[str, float]
    values: dict[str, Any] = field(default_factory=dict)
    points: list[tuple[str, int, float]] = field(default_factory=list)
    reached: int | None = None
    """The last step of which an event tells."""
    moments: dict[int, TimeSpent | None] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    reserved: set[str] = field(default_factory=set)
    notes: int | None = None
    published: list[tuple[Manifest, float | None]] = field(default_factory=list)
    """The new checkpoints, and how many seconds each took to be saved, where that was reported."""

    def add_metrics(self, step: int, metrics: dict[str, float]) -> None:
        """The last value of each name for the job, and a point of each series."""
        for name, value in metrics.items():
            if is_own_name(name):
                self.reserved.add(name)
                continue
            if name not in self.metrics and len(self.metrics) >= MOST_SERIES:
                self.left_out.add(name)
                continue
            self.metrics[name] = value
            self.points.append((name, step, value))
        self.values["metrics"] = self.metrics

    def add_rate(self, step: int, images_per_second: float | None) -> None:
        """A point of the rate, which the job itself shows with its progress."""
        if images_per_second is not None:
            self.points.append((RATE, step, images_per_second))

    def begin_moment(self, step: int) -> None:
        """An attempt begins now, at a step."""
        self.moments[step] = self._progress.time_spent

    def end_moment(self) -> None:
        """The attempt is now at the last step of which an event tells, and has spent its time.

        When it was at the steps before, only the clock of its worker knows, which may be wrong.
        """
        if self.reached is not None:
            self.moments[self.reached] = self._progress.time_spent

    def all_points(self) -> list[tuple[str, int, float]]:
        """The points of metrics, and those of the moments."""
        points = list(self.points)
        for step, spent in self.moments.items():
            points.append((TIME, step, self.now.timestamp()))
            if spent is not None:
                parts = spent.model_dump()
                points += [(name, step, parts[part]) for name, part in TIME_SPENT.items()]
        return points

    def set_progress(self, step: int, total_steps: int, phase: str, **speed: float | None) -> None:
        """How far the attempt is."""
        self._set(
            step=step,
            total_steps=total_steps,
            fraction=min(step / max(total_steps, 1), 1.0),
            phase=phase,
            **{"eta_seconds": None, "images_per_second": None} | speed,
        )

    def reach(self, step: int) -> None:
        """The training has come to a step at least, though no event of its progress says so yet."""
        now = self._progress
        if now.step < step <= now.total_steps:
            self._set(step=step, fraction=step / now.total_steps)

    def set_epoch(self, steps_per_epoch: int | None) -> None:
        """How long an epoch is, if the attempt has told it."""
        if steps_per_epoch is not None:
            self._set(steps_per_epoch=steps_per_epoch)

    def begin_time(self) -> None:
        """An attempt begins: what the job has spent so far is that of the attempts before it."""
        self._set(earlier_time_spent=self._progress.time_spent)

    def set_time(self, spent: TimeSpent | None) -> None:
        """What the attempt has spent so far, if it has reported it."""
        if spent is not None:
            self.values["progress"] = self._progress.with_time(spent).model_dump()

    @property
    def new_time_spent(self) -> TimeSpent | None:
        """What the job has spent with these events, if that was reported."""
        return self._progress.time_spent

    @property
    def _progress(self) -> Progress:
        stored = self.values.get("progress")
        return self.job.progress if stored is None else Progress.model_validate(stored)

    def _set(self, **fields: Any) -> None:
        self.values["progress"] = self._progress.model_copy(update=fields).model_dump()
