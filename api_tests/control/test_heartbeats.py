from collections.abc import Callable

from api_tests.support.control_agent import Agent, beat_of
from api_tests.support.use_cases import ControlPlane

NewAgent = Callable[..., Agent]


def test_a_beat_for_many_answers_each_for_itself(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    one, two = new_agent(), new_agent()
    jobs = [control_plane.submit() for _ in range(4)]
    claims = [one.claimed() for _ in jobs]
    one.report(claims[0])
    control_plane.cancel(jobs[1])
    forged = beat_of(claims[3]).model_copy(update={"token": "forged"})
    beats = [*(beat_of(claim) for claim in claims[:3]), forged]
    replies = two.beat_for(*reversed(beats))
    directives = {reply.job_id: (reply.lease_lost, reply.directive) for reply in replies}
    assert [reply.job_id for reply in replies] == [beat.job_id for beat in reversed(beats)]
    assert [directives[job.id] for job in jobs] == [
        (True, "continue"),
        (False, "checkpoint_and_stop"),
        (False, "continue"),
        (True, "continue"),
    ]


def test_the_same_beat_twice_in_a_heartbeat_is_answered_twice_and_counts_once(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.later(61)
    control_plane.sweep()
    first, second = agent.beat_for(beat_of(claim), beat_of(claim))
    assert first == second
    assert not first.lease_lost
    assert len(control_plane.events_of(job, "reachable")) == 1
