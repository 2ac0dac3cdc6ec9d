"""The control plane as a state machine: whatever users, agents and clocks do, in any order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from api_tests.control.conftest import PATIENCE, Agent, Plane, an_event, gpus
from api_tests.control.promises import Promises
from api_tests.manifests import a_manifest, told_of
from service.contract.agent import REASONS, Claim, Gone, Outcome
from service.contract.jobs import ENDED_JOBS, Job, JobState
from service.contract.workers import WorkerState
from service.control import workers
from service.domain.errors import Conflict, LeaseLost, NotFound, Unprocessable
from service.store import attempts
from service.store import workers as workers_store
from service.store.engine import Database
from service.store.tables import metadata

ENDS = [(outcome, reason) for outcome, reasons in REASONS.items() for reason in reasons]
SECONDS = [1.0, 31.0, 61.0, 301.0, 700.0]
any_number = st.integers(0, 999)


@dataclass
class Held:
    """A claim in the hands of an agent, and what it has told so far."""

    agent: Agent
    claim: Claim
    step: int
    seq: int = 0
    ended: tuple[str, str] | None = None
    told: list[Any] = field(default_factory=list)


class Protocol(RuleBasedStateMachine):
    """Users, agents that may be slow, dead or repeat themselves, and a clock that only goes on."""

    database: Database

    @initialize()
    def begin(self) -> None:
        with self.database.write() as tx:
            for table in metadata.tables.values():
                tx.execute(table.delete())
        self.plane = Plane(self.database)
        self.promises = Promises(self.plane)
        self.numbers = count(1)
        self.agents: list[Agent] = []
        self.held: list[Held] = []
        self.keys: dict[str, str] = {}
        for devices in (0, 2):
            self.join(devices)

    @rule(devices=st.sampled_from([0, 1, 2]))
    def join(self, devices: int) -> None:
        name = f"wrk_{next(self.numbers):04d}"
        self.agents.append(Agent(self.plane, name, gpus=gpus(devices), slots=2))

    @rule(
        wants=st.sampled_from([0, 0, 0, 1, 2]),
        priority=st.integers(-1, 1),
        failures=st.integers(0, 2),
    )
    def submit(self, wants: int, priority: int, failures: int) -> None:
        fields = {"resources": {"gpus": wants}, "priority": priority, "max_failures": failures}
        self.promises.acknowledged(self.plane.submit(**fields))

    @rule(number=st.integers(0, 3))
    def submit_with_a_key_perhaps_again(self, number: int) -> None:
        key = f"key-{number}"
        job = self.plane.submit(key=key)
        assert self.keys.setdefault(key, job.id) == job.id
        self.promises.acknowledged(job)

    @rule(number=any_number)
    def claim(self, number: int) -> None:
        self._take(number, lost=False)

    @rule(number=any_number)
    def lose_the_reply_to_a_claim_and_ask_again(self, number: int) -> None:
        self._take(number, lost=True)

    def _take(self, number: int, *, lost: bool) -> None:
        agent = self.agents[number % len(self.agents)]
        request_id = f"request-{next(self.numbers)}"
        room = self._room(agent)
        try:
            claim = agent.claim(request_id, **room)
            if lost:
                assert agent.claim(request_id, **room) == claim
        except NotFound:
            agent.register()
            return
        if claim is not None:
            step = claim.resume[0].step if claim.resume else 0
            self.held.append(Held(agent, claim, step))

    def _room(self, agent: Agent) -> dict[str, int]:
        mine = [each for each in self.held if each.agent is agent and not each.ended]
        used = sum(each.claim.spec.resources.gpus for each in mine)
        slots = agent.registration.slots - len(mine)
        return {"free_slots": max(slots, 0), "free_gpus": len(agent.registration.gpus) - used}

    @precondition(lambda self: self.held)
    @rule(number=any_number)
    def beat(self, number: int) -> None:
        self._beat(self._any(number))

    @precondition(lambda self: self.held)
    @rule(number=any_number)
    def save_a_checkpoint(self, number: int) -> None:
        held = self._any(number)
        held.step += 10
        manifest = a_manifest(held.claim.job_id, held.step, attempt=held.claim.attempt)
        held.seq += 1
        held.told.append(an_event(held.seq, "checkpoint", **told_of(manifest)))
        self._beat(held, held.told[-1])

    @precondition(lambda self: self.held)
    @rule(number=any_number)
    def tell_everything_again(self, number: int) -> None:
        held = self._any(number)
        self._beat(held, *held.told)

    def _beat(self, held: Held, *events: Any) -> None:
        live = self.promises.is_live(held.claim)
        reply = held.agent.beat(held.claim, *events)
        assert reply.lease_lost is not live
        state = self.plane.job(self.promises.jobs[held.claim.job_id]).state
        if live:
            assert (reply.directive == "continue") is (state is JobState.RUNNING)
        elif held.ended is None:
            held.ended = ("lost", "")

    @precondition(lambda self: self.held)
    @rule(number=any_number, end=st.sampled_from(ENDS))
    def report(self, number: int, end: tuple[Outcome, Any]) -> None:
        held = self._any(number)
        live = self.promises.is_live(held.claim)
        said = held.ended if held.ended and held.ended[0] != "lost" else end
        try:
            held.agent.report(held.claim, said[0], said[1])
        except LeaseLost:
            assert not live
            held.ended = held.ended or ("lost", "")
        except Conflict:
            assert said[0] == "cancelled"
        else:
            assert live or held.ended
            held.ended = said

    @rule(number=any_number, times=st.integers(1, 3))
    def crash_over_and_over(self, number: int, times: int) -> None:
        for _ in range(times):
            self._run_to_its_end(
                number, lambda held: held.agent.report(held.claim, "failed", "crashed")
            )
            self.plane.later(700)
            self.plane.sweep()

    @rule(number=any_number, times=st.integers(1, 3))
    def lose_over_and_over(self, number: int, times: int) -> None:
        for _ in range(times):
            self._run_to_its_end(number, lambda _: self.plane.later(301))
            self.plane.sweep()

    def _run_to_its_end(self, number: int, end: Callable[[Held], object]) -> None:
        before = len(self.held)
        self._take(number, lost=False)
        if len(self.held) > before:
            held = self.held[-1]
            self._beat(held)
            end(held)
            held.ended = (
                ("lost", "") if self.promises.is_live(held.claim) else ("failed", "crashed")
            )

    def _any(self, number: int) -> Held:
        return self.held[number % len(self.held)]

    @rule(seconds=st.sampled_from(SECONDS))
    def let_time_pass_and_sweep(self, seconds: float) -> None:
        self.plane.later(seconds)
        self.plane.sweep()

    @rule(seconds=st.sampled_from(SECONDS[:3]))
    def let_time_pass(self, seconds: float) -> None:
        self.plane.later(seconds)

    @rule()
    def sweep_twice(self) -> None:
        self.plane.sweep()
        assert self.plane.sweep() == 0

    @rule()
    def restart_the_server(self) -> None:
        with self.plane.write() as tx:
            workers_store.renew_all(tx, self.plane.now)
            attempts.renew_all(tx, self.plane.now)
        assert self.plane.sweep() == 0

    @precondition(lambda self: len(self.agents) > 1)
    @rule(number=any_number)
    def end_a_worker(self, number: int) -> None:
        agent = self.agents.pop(number % len(self.agents))
        with self.plane.write() as tx:
            workers.gone(tx, agent.id, Gone(), patience=PATIENCE, now=self.plane.now)
        for held in self.held:
            assert held.agent is not agent or not self.promises.is_live(held.claim)

    @rule(number=any_number, undo=st.booleans())
    def drain_a_worker(self, number: int, undo: bool) -> None:
        agent = self.agents[number % len(self.agents)]
        verb = workers.resume if undo else workers.drain
        with self.plane.write() as tx:
            worker = workers_store.get(tx, agent.id)
            assert worker is not None
            if worker.state is not WorkerState.LOST:
                verb(tx, agent.id, self.plane.now)

    @precondition(lambda self: self.promises.jobs)
    @rule(number=any_number, mode=st.sampled_from(["graceful", "now"]))
    def cancel(self, number: int, mode: str) -> None:
        asked = self._ask(number, lambda job: self.plane.cancel(job, mode), ENDED_JOBS[:2])
        assert asked is None or asked.state in (JobState.CANCELLING, JobState.CANCELLED)

    @precondition(lambda self: self.promises.jobs)
    @rule(number=any_number)
    def pause(self, number: int) -> None:
        asked = self._ask(number, self.plane.pause, (*ENDED_JOBS, JobState.CANCELLING))
        assert asked is None or asked.state in (JobState.PAUSING, JobState.PAUSED)

    @precondition(lambda self: self.promises.jobs)
    @rule(number=any_number)
    def resume(self, number: int) -> None:
        resting = (JobState.PAUSING, JobState.PAUSED)
        refused = [state for state in JobState if state not in resting]
        asked = self._ask(number, self.plane.resume, refused)
        assert asked is None or asked.state in (JobState.RUNNING, JobState.QUEUED)

    def _ask(self, number: int, verb: Callable[[Job], Job], refused: Any) -> Job | None:
        jobs = list(self.promises.jobs.values())
        job = self.plane.job(jobs[number % len(jobs)])
        try:
            asked = verb(job)
        except Conflict:
            assert job.state in refused
            return None
        assert job.state not in refused
        return asked

    @precondition(lambda self: self.promises.ended)
    @rule(number=any_number, origin=st.sampled_from(["latest", "start"]))
    def retry(self, number: int, origin: str) -> None:
        ended = list(self.promises.ended)
        parent = self.promises.jobs[ended[number % len(ended)]]
        try:
            self.promises.acknowledged(self.plane.retry(parent, origin).job)
        except Unprocessable:
            assert origin == "latest"

    @invariant()
    def every_promise_is_kept(self) -> None:
        if hasattr(self, "promises"):
            self.promises.check(self.agents)
