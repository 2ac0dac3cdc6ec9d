"""The counts of jobs and workers that a monitor asks for, kept for a few seconds."""

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.store.engine import Database
from service.store.outages import DATABASE_OUTAGES
from service.store.state_counts import StateCounts, count_states

KEPT = timedelta(seconds=10)
MOST_RECIPES = 50
"""Recipes that have a label of their own; the rarest others are counted as one."""
OTHER_RECIPES = "other"


@dataclass(frozen=True)
class CountedStates:
    """Counts, None where the database did not answer, as they are at `now`."""

    counts: StateCounts | None
    now: datetime

    @property
    def jobs(self) -> dict[tuple[str, str], int]:
        """Jobs by recipe and state; of at most MOST_RECIPES recipes and the others."""
        counts = self._present
        named = self._named(counts)
        jobs: Counter[tuple[str, str]] = Counter()
        for (recipe, state), count in counts.jobs.items():
            jobs[recipe if recipe in named else OTHER_RECIPES, state] += count
        return dict(jobs)

    @property
    def images_per_second(self) -> dict[str, float]:
        """The rate of running jobs by recipe."""
        counts = self._present
        named = self._named(counts)
        rates: defaultdict[str, float] = defaultdict(float)
        for recipe, rate in counts.images_per_second.items():
            rates[recipe if recipe in named else OTHER_RECIPES] += rate
        return dict(rates)

    @property
    def oldest_queued_seconds(self) -> float:
        """How long the oldest queued job has waited; 0 without one."""
        return self._seconds_since(self._present.oldest_queued_at)

    @property
    def longest_silence_seconds(self) -> float:
        """How long the worker has been silent that called longest ago; 0 without one."""
        return self._seconds_since(self._present.longest_silent_since)

    @property
    def _present(self) -> StateCounts:
        assert self.counts is not None
        return self.counts

    def _named(self, counts: StateCounts) -> set[str]:
        by_recipe: Counter[str] = Counter()
        for (recipe, _), count in counts.jobs.items():
            by_recipe[recipe] += count
        return {recipe for recipe, _ in by_recipe.most_common(MOST_RECIPES)}

    def _seconds_since(self, moment: datetime | None) -> float:
        return max((self.now - moment).total_seconds(), 0.0) if moment is not None else 0.0


class StateCounter:
    """Counts when somebody asks, at most every ten seconds; those who ask meanwhile share it."""

    def __init__(self, database: Database) -> None:
        self._database, self._lock = database, threading.Lock()
        self._counts: StateCounts | None = None
        self._counted_at: datetime | None = None

    def counted(self, now: datetime) -> CountedStates:
        """The counts, of the last ten seconds."""
        with self._lock:
            age = now - self._counted_at if self._counted_at is not None else None
            if age is None or not timedelta(0) <= age < KEPT:
                self._count()
                self._counted_at = now
            return CountedStates(self._counts, now)

    def _count(self) -> None:
        try:
            with self._database.read() as tx:
                self._counts = count_states(tx)
        except DATABASE_OUTAGES:
            self._counts = None
