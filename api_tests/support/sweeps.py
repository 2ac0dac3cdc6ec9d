"""Sweeps over the use cases, and agents that train their jobs."""

from typing import Any

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import Claim
from service.contract.jobs import Job
from service.contract.sweep_specs import NewSweep
from service.contract.sweeps import Sweep, Trial
from service.control.jobs import views
from service.control.sweeps import registry, turn
from service.control.sweeps.checks import check
from service.domain.access import SERVER, Caller

JOB: dict[str, Any] = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
ITERATIONS = {"total_iters": 50, "bn_recalibration_iters": 10}


def a_sweep(**fields: Any) -> NewSweep:
    """A grid of four trials of 50 steps each; `fields` replace those of the sweep."""
    body: dict[str, Any] = {
        "name": "lr",
        "job": JOB | {"params": ITERATIONS},
        "parameters": {
            "learning_rate": {"values": [0.1, 0.2]},
            "batch_size": {"values": [16, 32]},
        },
        "method": {"kind": "grid"},
    }
    return NewSweep.model_validate(body | fields)


class Sweeps:
    """The sweeps of a control plane, each call one transaction."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.control_plane = control_plane
        self._made = 0

    def create(self, new: NewSweep, key: str | None = None, by: Caller = SERVER) -> Sweep:
        """Check and store a sweep."""
        self._made += 1
        sweep_id = f"swp_{self._made:04d}"
        now = self.control_plane.now
        with self.control_plane.write() as tx:
            check(tx, new)
            return registry.create(tx, new, sweep_id=sweep_id, key=key, now=now, by=by)[0]

    def turn(self, sweep: Sweep) -> bool:
        """What the loop does with one; whether there was anything to do."""
        with self.control_plane.database.read() as tx:
            if not turn.is_due(tx, sweep.id):
                return False
        with self.control_plane.write() as tx:
            turn.take(
                tx,
                sweep.id,
                new_id=lambda _: self.control_plane.new_job_id(),
                now=self.control_plane.now,
            )
        return True

    def get(self, sweep: Sweep, by: Caller = SERVER) -> Sweep:
        """As it is now."""
        with self.control_plane.database.read() as tx:
            return registry.get(tx, sweep.id, by)

    def job(self, job_id: str | None) -> Job:
        """The job of a trial, as it is now."""
        with self.control_plane.database.read() as tx:
            return views.get(tx, str(job_id))

    def trials(self, sweep: Sweep) -> list[Trial]:
        """Those that have begun."""
        with self.control_plane.database.read() as tx:
            return registry.trials_of(tx, sweep.id, 0, 1000)[0]

    def pause(self, sweep: Sweep, by: Caller = SERVER) -> Sweep:
        """As a user does."""
        with self.control_plane.write() as tx:
            return registry.pause(tx, sweep.id, self.control_plane.now, by)

    def resume(self, sweep: Sweep, by: Caller = SERVER) -> Sweep:
        """As a user does."""
        with self.control_plane.write() as tx:
            return registry.resume(tx, sweep.id, self.control_plane.now, by)

    def cancel(self, sweep: Sweep, by: Caller = SERVER) -> Sweep:
        """As a user does."""
        with self.control_plane.write() as tx:
            return registry.cancel(tx, sweep.id, self.control_plane.now, by)

    def delete(self, sweep: Sweep, by: Caller = SERVER) -> None:
        """As a user does."""
        with self.control_plane.write() as tx:
            registry.delete(tx, sweep.id, by)


class Training:
    """The attempt of a job that an agent has claimed."""

    def __init__(self, agent: Agent) -> None:
        self.agent, self._seq = agent, 0
        self.claim: Claim = agent.claimed()

    @property
    def job_id(self) -> str:
        """Of the job."""
        return self.claim.job_id

    def measure(self, step: int, error: float, total_steps: int = 50) -> None:
        """Report progress, and a validation."""
        progress = {"step": step, "total_steps": total_steps, "phase": "train"}
        self._send("progress", **progress)
        self._send("metrics", step=step, metrics={"top1_error": error})

    def end(self, outcome: str = "succeeded", reason: str = "finished", **fields: Any) -> None:
        """Report the end."""
        self.agent.report(self.claim, outcome, reason, **fields)

    def _send(self, kind: str, **body: Any) -> None:
        self._seq += 1
        self.agent.beat(self.claim, an_event(self._seq, kind, **body))
