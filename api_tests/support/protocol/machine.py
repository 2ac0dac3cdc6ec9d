"""The control plane as a state machine: whatever users, agents and clocks do, in any order."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from api_tests.support.catalogs import a_catalog, oneshot_with_depth
from api_tests.support.protocol.agents import AtWork, any_number
from api_tests.support.use_cases import PATIENCE
from service.contract.jobs import ENDED_JOBS, Job, JobState
from service.contract.registration import Gone
from service.contract.workers import WorkerState
from service.control.leases import workers
from service.control.scheduling import catalogs
from service.domain.errors import Conflict, Unprocessable
from service.store import leases
from service.store import workers as workers_store

SECONDS = [1.0, 31.0, 61.0, 301.0, 700.0]


class Protocol(AtWork):
    """Users, agents at work, and a clock that only goes on."""

    @rule(
        wants=st.sampled_from([0, 0, 0, 1, 2]),
        priority=st.integers(-1, 1),
        failures=st.integers(0, 2),
        preemptible=st.booleans(),
    )
    def submit(self, wants: int, priority: int, failures: int, preemptible: bool) -> None:
        fields = {"resources": {"gpus": wants}, "priority": priority, "max_failures": failures}
        fields["preemptible"] = preemptible
        self.promises.acknowledged(self.control_plane.submit(**fields))

    @rule(number=st.integers(0, 3))
    def submit_with_a_key_perhaps_again(self, number: int) -> None:
        key = f"key-{number}"
        job = self.control_plane.submit(key=key)
        assert self.keys.setdefault(key, job.id) == job.id
        self.promises.acknowledged(job)

    @rule(seconds=st.sampled_from(SECONDS))
    def let_time_pass_and_sweep(self, seconds: float) -> None:
        self.control_plane.later(seconds)
        self.control_plane.sweep()

    @rule(seconds=st.sampled_from(SECONDS[:3]))
    def let_time_pass(self, seconds: float) -> None:
        self.control_plane.later(seconds)

    @rule()
    def preempt_until_none_is_asked(self) -> None:
        turns = range(len(self.promises.jobs) + 1)
        assert any(self.control_plane.preempt() == 0 for _ in turns)

    @rule()
    def sweep_twice(self) -> None:
        self.control_plane.sweep()
        assert self.control_plane.sweep() == 0

    @rule()
    def restart_the_server(self) -> None:
        with self.control_plane.write() as tx:
            workers_store.renew_since(tx, None, self.control_plane.now)
            leases.renew_since(tx, None, self.control_plane.now)
        assert self.control_plane.sweep() == 0

    @precondition(lambda self: len(self.agents) > 1)
    @rule(number=any_number)
    def end_a_worker(self, number: int) -> None:
        agent = self.agents.pop(number % len(self.agents))
        with self.control_plane.write() as tx:
            workers.end_worker(
                tx, agent.id, Gone(), backoff_policy=PATIENCE, now=self.control_plane.now
            )
        for held in self.held:
            assert held.agent is not agent or not self.promises.is_live(held.claim)

    @rule(number=any_number, undo=st.booleans())
    def drain_a_worker(self, number: int, undo: bool) -> None:
        agent = self.agents[number % len(self.agents)]
        verb = workers.resume if undo else workers.drain
        with self.control_plane.write() as tx:
            worker = workers_store.get(tx, agent.id)
            assert worker is not None
            if worker.state is not WorkerState.LOST:
                verb(tx, agent.id, self.control_plane.now)

    @rule(number=any_number, depth=st.sampled_from([3, 9]))
    def change_the_version_of_a_worker(self, number: int, depth: int) -> None:
        agent = self.agents[number % len(self.agents)]
        with self.control_plane.write() as tx:
            worker = workers_store.get(tx, agent.id)
            assert worker is not None
            if worker.state is not WorkerState.LOST:
                catalog = a_catalog(oneshot_with_depth(depth))
                catalogs.put(tx, agent.id, catalog, self.control_plane.now)

    @precondition(lambda self: self.promises.jobs)
    @rule(number=any_number, mode=st.sampled_from(["graceful", "now"]))
    def cancel(self, number: int, mode: str) -> None:
        asked = self._ask(number, lambda job: self.control_plane.cancel(job, mode), ENDED_JOBS[:2])
        assert asked is None or asked.state in (JobState.CANCELLING, JobState.CANCELLED)

    @precondition(lambda self: self.promises.jobs)
    @rule(number=any_number)
    def pause(self, number: int) -> None:
        asked = self._ask(number, self.control_plane.pause, (*ENDED_JOBS, JobState.CANCELLING))
        assert asked is None or asked.state in (JobState.PAUSING, JobState.PAUSED)

    @precondition(lambda self: self.promises.jobs)
    @rule(number=any_number)
    def resume(self, number: int) -> None:
        resting = (JobState.PAUSING, JobState.PAUSED)
        refused = [state for state in JobState if state not in resting]
        asked = self._ask(number, self.control_plane.resume, refused)
        assert asked is None or asked.state in (JobState.RUNNING, JobState.QUEUED)

    def _ask(self, number: int, verb: Callable[[Job], Job], refused: Any) -> Job | None:
        jobs = list(self.promises.jobs.values())
        job = self.control_plane.job(jobs[number % len(jobs)])
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
        succeeded = self.control_plane.job(parent).state is JobState.SUCCEEDED
        try:
            retried = self.control_plane.job_of(self.control_plane.retry(parent, origin))
        except Unprocessable:
            assert origin == "latest"
        except Conflict:
            assert succeeded
        else:
            assert not succeeded
            self.promises.acknowledged(retried)

    @invariant()
    def every_promise_is_kept(self) -> None:
        if hasattr(self, "promises"):
            self.promises.check(self.agents)
