"""What agents do in the state machine: slow, dead, or repeating themselves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from api_tests.support.control_agent import Agent, an_event, gpus
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.protocol.promises import Promises
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import REASONS, AttemptOutcome, Claim
from service.contract.jobs import JobState
from service.domain.errors import Conflict, LeaseLost, NotFound
from service.store.engine import Database
from service.store.tables import metadata

ENDS = [(outcome, reason) for outcome, reasons in REASONS.items() for reason in reasons]
any_number = st.integers(0, 999)


@dataclass
class ClaimedAttempt:
    """A claim in the hands of an agent, and what it has told so far."""

    agent: Agent
    claim: Claim
    step: int
    seq: int = 0
    ended: tuple[str, str] | None = None
    events: list[Any] = field(default_factory=list)


class AtWork(RuleBasedStateMachine):
    """Agents that may be slow, dead or repeat themselves, and what they hold."""

    database: Database

    @initialize()
    def begin(self) -> None:
        with self.database.write() as tx:
            for table in reversed(metadata.sorted_tables):
                tx.execute(table.delete())
        self.control_plane = ControlPlane(self.database)
        self.promises = Promises(self.control_plane)
        self.numbers = count(1)
        self.agents: list[Agent] = []
        self.held: list[ClaimedAttempt] = []
        self.keys: dict[str, str] = {}
        for devices in (0, 2):
            self.join(devices)

    @rule(devices=st.sampled_from([0, 1, 2]))
    def join(self, devices: int) -> None:
        name = f"wrk_{next(self.numbers):04d}"
        self.agents.append(Agent(self.control_plane, name, gpus=gpus(devices), slots=2))

    @rule(number=any_number)
    def claim(self, number: int) -> None:
        self._take(number, lost=False)

    @rule(number=any_number)
    def lose_the_reply_to_a_claim_and_ask_again(self, number: int) -> None:
        self._take(number, lost=True)

    def _take(self, number: int, *, lost: bool) -> None:
        agent = self.agents[number % len(self.agents)]
        request_id = f"request-{next(self.numbers)}"
        capacity = self._room(agent)
        try:
            claim = agent.claim(request_id, **capacity)
            if lost:
                assert agent.claim(request_id, **capacity) == claim
        except NotFound:
            agent.register()
            return
        if claim is not None:
            step = claim.resume[0].step if claim.resume else 0
            self.held.append(ClaimedAttempt(agent, claim, step))

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
        held.events.append(an_event(held.seq, "checkpoint", **published_body(manifest)))
        self._beat(held, held.events[-1])

    @precondition(lambda self: self.held)
    @rule(number=any_number)
    def tell_everything_again(self, number: int) -> None:
        held = self._any(number)
        self._beat(held, *held.events)

    def _beat(self, held: ClaimedAttempt, *events: Any) -> None:
        live = self.promises.is_live(held.claim)
        reply = held.agent.beat(held.claim, *events)
        assert reply.lease_lost is not live
        state = self.control_plane.job(self.promises.jobs[held.claim.job_id]).state
        if live:
            goes_on = state is JobState.RUNNING and not self.promises.is_preempted(held.claim)
            assert (reply.directive == "continue") is goes_on
        elif held.ended is None:
            held.ended = ("lost", "")

    @precondition(lambda self: self.held)
    @rule(number=any_number, end=st.sampled_from(ENDS))
    def report(self, number: int, end: tuple[AttemptOutcome, Any]) -> None:
        held = self._any(number)
        live = self.promises.is_live(held.claim)
        result = held.ended if held.ended and held.ended[0] != "lost" else end
        try:
            held.agent.report(held.claim, result[0], result[1])
        except LeaseLost:
            assert not live
            held.ended = held.ended or ("lost", "")
        except Conflict:
            assert result[0] == "cancelled"
        else:
            assert live or held.ended
            held.ended = result

    @rule(number=any_number, times=st.integers(1, 3))
    def crash_over_and_over(self, number: int, times: int) -> None:
        for _ in range(times):
            self._run_to_its_end(
                number, lambda held: held.agent.report(held.claim, "failed", "crashed")
            )
            self.control_plane.later(700)
            self.control_plane.sweep()

    @rule(number=any_number, times=st.integers(1, 3))
    def lose_over_and_over(self, number: int, times: int) -> None:
        for _ in range(times):
            self._run_to_its_end(number, lambda _: self.control_plane.later(301))
            self.control_plane.sweep()

    def _run_to_its_end(self, number: int, end: Callable[[ClaimedAttempt], object]) -> None:
        before = len(self.held)
        self._take(number, lost=False)
        if len(self.held) > before:
            held = self.held[-1]
            self._beat(held)
            end(held)
            held.ended = (
                ("lost", "") if self.promises.is_live(held.claim) else ("failed", "crashed")
            )

    def _any(self, number: int) -> ClaimedAttempt:
        return self.held[number % len(self.held)]
