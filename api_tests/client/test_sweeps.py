"""The client's calls for sweeps, against a real server."""

import pytest

from api_tests.support.coroutines import result_of
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.own_server import agent, client, server
from api_tests.support.server import Server
from api_tests.support.sweep_calls import a_sweep, run_trials
from service.client import AsyncClient, Client, Conflict, InvalidRequest, NotFound, StillRunning
from service.contract.sweep_specs import NewSweep
from service.contract.sweeps import Sweep, SweepState, TrialState

__all__ = ["agent", "client", "server"]


def test_a_sweep_runs_to_its_end_and_is_deleted(client: Client, agent: FakeAgent) -> None:
    made = client.create_sweep(NewSweep.model_validate(a_sweep(agent, name="rates")))
    assert (made.name, made.state, made.trial_count) == ("rates", SweepState.RUNNING, 2)
    run_trials(agent, {0.5: 0.75, 0.25: 0.125})
    seen: list[Sweep] = []
    ended = client.wait_for_sweep(made.id, seen.append, poll_seconds=0.05)
    assert (ended.state, seen[-1]) == (SweepState.FINISHED, ended)
    assert ended.best is not None
    assert (ended.best.parameters, ended.best.value) == ({"learning_rate": 0.25}, 0.125)
    trials = client.trials(made.id).first(10)
    assert [(each.number, each.state, each.value) for each in trials] == [
        (1, TrialState.SUCCEEDED, 0.75),
        (2, TrialState.SUCCEEDED, 0.125),
    ]
    assert client.job(ended.best.job_id).labels == {"sweep": made.id}
    client.delete_sweep(made.id)
    with pytest.raises(NotFound):
        client.sweep(made.id)
    assert client.job(ended.best.job_id).state == "succeeded"


def test_the_same_key_makes_no_second_sweep(client: Client, agent: FakeAgent) -> None:
    spec = a_sweep(agent)
    first = client.create_sweep(spec, key=f"key of {agent.id}")
    assert client.create_sweep(spec, key=f"key of {agent.id}").id == first.id
    assert client.create_sweep(spec).id != first.id


def test_a_check_makes_no_sweep_and_tells_the_defaults(client: Client, agent: FakeAgent) -> None:
    before = [each.id for each in client.sweeps()]
    checked = client.check_sweep(a_sweep(agent))
    assert (checked.jobs_at_once, checked.objective.metric) == (4, "top1_error")
    with pytest.raises(InvalidRequest):
        client.sweep("")
    assert [each.id for each in client.sweeps()] == before


def test_a_sweep_is_paused_resumed_and_cancelled(client: Client, agent: FakeAgent) -> None:
    made = client.create_sweep(a_sweep(agent))
    assert client.pause_sweep(made.id).state == SweepState.PAUSED
    assert made.id in [each.id for each in client.sweeps(state="paused")]
    assert made.id not in [each.id for each in client.sweeps(state=SweepState.RUNNING)]
    assert client.resume_sweep(made.id).state == SweepState.RUNNING
    with pytest.raises(Conflict, match="cancel it first"):
        client.delete_sweep(made.id)
    with pytest.raises(StillRunning, match="it goes on"):
        client.wait_for_sweep(made.id, timeout_seconds=0.01, poll_seconds=0.01)
    client.cancel_sweep(made.id)
    ended = client.wait_for_sweep(made.id, poll_seconds=0.05)
    assert (ended.state, ended.message) == (SweepState.CANCELLED, "cancelled by a user")


def test_a_sweep_of_an_event_loop_is_the_same(server: Server, agent: FakeAgent) -> None:
    async def program() -> tuple[str, str, list[int]]:
        async with AsyncClient(server.url) as client:
            made = await client.create_sweep(a_sweep(agent))
            first = await client.sweeps().first(1)
            await client.cancel_sweep(made.id)
            await client.wait_for_sweep(made.id, poll_seconds=0.05)
            return made.id, first[0].id, [each.number async for each in client.trials(made.id)]

    made, newest, numbers = result_of(program())
    assert newest == made
    assert numbers == sorted(numbers)
