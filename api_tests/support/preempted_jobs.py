"""Running jobs that may be preempted, over the use cases."""

from typing import Any

from api_tests.support.control_agent import Agent
from api_tests.support.use_cases import PREEMPT_AFTER_SECONDS, ControlPlane
from service.contract.agent import Claim
from service.contract.jobs import Job


def low_running(control_plane: ControlPlane, agent: Agent, **fields: Any) -> tuple[Job, Claim]:
    """A preemptible job that has run for long enough."""
    job = control_plane.submit(preemptible=True, **fields)
    claim = agent.claimed()
    assert claim.job_id == job.id
    control_plane.later(PREEMPT_AFTER_SECONDS)
    agent.beat(claim)
    return job, claim


def give_back(agent: Agent, claim: Claim) -> None:
    """What an agent does that is asked to save."""
    assert agent.beat(claim).directive == "checkpoint_and_stop"
    agent.report(claim, "released", "released", message="stopped by the control plane")
