"""Whatever happens to a search by several workers, in whatever order, it ends with its table."""

import random
from collections.abc import Callable

import pytest

from api_tests.support.control_agent import Agent, say_gone
from api_tests.support.searches import found, offer_searches
from api_tests.support.searching_yard import POPULATION, SearchingYard, given, measured, wanted
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import Claim
from service.contract.jobs import JobState
from service.domain.errors import Conflict, LeaseLost

TOTAL = 2 * POPULATION
STEPS = 80
MOST_LOSSES = 2
"""More in a row would be the end of a job, rightly."""


class Attempted:
    """An attempt at a job, and how much of it its worker has told."""

    def __init__(self, agent: Agent, claim: Claim) -> None:
        self.agent, self.claim, self._seq = agent, claim, 0
        self.left = given(claim)

    def tell(self, most: int) -> None:
        """Of some more candidates."""
        now, self.left = self.left[:most], self.left[most:]
        self._seq += 1
        self.agent.beat(self.claim, found(self._seq, *now))

    def want(self) -> bool:
        """Of the first population that is not known, as a search does; False if all is."""
        known = {each.blocks for each in self.claim.candidates}
        for generation in range(TOTAL // POPULATION):
            orders = range(generation * POPULATION, (generation + 1) * POPULATION)
            unknown = [order for order in orders if measured(order)["blocks"] not in known]
            if unknown:
                self.agent.beat(self.claim, wanted(1, *unknown))
                return True
        return False


class Walk:
    """Steps of a search, its workers, its users and its loop, each a transaction.

    A worker that takes none of its steps any more was killed there, a server between two of them.
    """

    def __init__(self, yard: SearchingYard, seed: int, new_agent: Callable[..., Agent]) -> None:
        self._yard, self._random, self._new_agent = yard, random.Random(seed), new_agent
        self._attempts: list[Attempted] = []
        self._losses = 0
        steps = [self.claim] * 3 + [self.work] * 4 + [self.end] * 3 + [yard.turn] * 2
        rare = [self.lose_worker, self.pause, self.resume, self.resume, self.cancel_part]
        self._steps: list[Callable[[], object]] = [*steps, *rare]

    def step(self) -> None:
        """One of them, drawn."""
        self._yard.control_plane.later(1)
        self._random.choice(self._steps)()

    def claim(self) -> None:
        """A worker asks for a job: never for a search that waits for another."""
        claim = self._yard.agent.claim()
        if claim is None:
            return
        if claim.job_id == self._yard.search.id:
            ends = (JobState.SUCCEEDED, JobState.CANCELLED)
            assert all(part.state in ends for part in self._yard.parts())
        self._yard.agent.beat(claim)
        self._attempts.append(Attempted(self._yard.agent, claim))

    def work(self) -> None:
        """A worker tells of something."""
        if self._attempts:
            attempt = self._random.choice(self._attempts)
            if attempt.claim.job_id == self._yard.search.id:
                attempt.want()
            else:
                attempt.tell(self._random.randint(1, 2))

    def end(self) -> None:
        """A worker ends an attempt, as it was asked to, or since it is done."""
        if self._attempts:
            self._end(self._random.choice(self._attempts))

    def _end(self, attempt: Attempted) -> None:
        state = self._yard.state_of(attempt.claim.job_id)
        done = False
        if attempt.claim.job_id == self._yard.search.id:
            done = not attempt.want()
        elif self._random.random() < 0.7:
            attempt.tell(len(attempt.left))
            done = True
        try:
            if done:
                attempt.agent.report(attempt.claim)
            elif state is JobState.CANCELLING:
                attempt.agent.report(attempt.claim, "cancelled", "cancelled")
            else:
                attempt.agent.report(attempt.claim, "released", "released")
        except LeaseLost:
            pass
        self._attempts.remove(attempt)

    def lose_worker(self) -> None:
        """All attempts of a worker are lost; another takes its place."""
        if self._losses < MOST_LOSSES:
            self._losses += 1
            say_gone(self._yard.control_plane, self._yard.agent)
            self._yard.agent = self._new_agent()
            offer_searches(self._yard.control_plane, self._yard.agent)
            self._attempts.clear()

    def pause(self) -> None:
        """A user pauses the search."""
        if self._yard.job.state in (JobState.QUEUED, JobState.RUNNING):
            self._yard.control_plane.pause(self._yard.search)

    def resume(self) -> None:
        """A user resumes it."""
        if self._yard.job.state in (JobState.PAUSED, JobState.PAUSING):
            self._yard.control_plane.resume(self._yard.search)

    def cancel_part(self) -> None:
        """A user cancels what measures for it."""
        parts = self._yard.parts()
        if parts:
            try:
                self._yard.control_plane.cancel(self._random.choice(parts))
            except Conflict:
                return

    def finish(self) -> None:
        """Everybody does what is left to do, until the search has ended."""
        for _ in range(100):
            if self._yard.job.state is JobState.SUCCEEDED:
                return
            self.resume()
            self._yard.turn()
            self.claim()
            for attempt in list(self._attempts):
                self._end(attempt)
        pytest.fail(f"it is {self._yard.job.state}: {self._yard.job.wait_reason}")


@pytest.mark.parametrize("seed", range(12))
def test_a_search_ends_with_its_table_whatever_happened_before(
    control_plane: ControlPlane, agent: Agent, new_agent: Callable[..., Agent], seed: int
) -> None:
    yard = SearchingYard(control_plane, agent)
    walk, told = Walk(yard, seed, new_agent), 0
    for _ in range(STEPS):
        walk.step()
        # Nothing that was acknowledged is lost.
        assert len(yard.table()) >= told
        told = len(yard.table())
    walk.finish()
    assert [each.model_dump() for each in yard.table()] == [measured(n) for n in range(TOTAL)]
    while yard.turn():
        pass
    assert yard.parts() == []
