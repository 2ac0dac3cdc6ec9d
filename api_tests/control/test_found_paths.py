"""What a search has found, as the network or the weights of another job."""

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.search_fixtures import supernet
from api_tests.support.searches import (
    PARAMS,
    SMALL,
    a_candidate,
    a_search,
    best_path,
    blocks_of,
    found,
    refusal,
    submitted,
)
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import Job
from service.contract.specs import TrainSpec
from service.control.jobs import lineage

__all__ = ["supernet"]


def test_what_a_search_has_found_is_trained_by_its_name(
    control_plane: ControlPlane, agent: Agent, supernet: Job
) -> None:
    search = submitted(control_plane, a_search(supernet))
    named = {"kind": "train", "variant": {"search": search.id}, "data": {"dataset": "digits"}}
    pointer, message = refusal(control_plane, named)
    assert (pointer, search.id in message) == ("/variant/search", True)
    claim = agent.claimed()
    agent.beat(claim, found(1, a_candidate(0), a_candidate(1)))
    job = submitted(control_plane, named)
    assert (job.recipe, job.variant, job.parent_job_id) == (
        *("oneshot", f"b{blocks_of(1)}"),
        search.id,
    )
    again = submitted(control_plane, job.spec.model_dump(mode="json"))
    assert (again.variant, again.parent_job_id) == (job.variant, search.id)
    with control_plane.database.read() as tx:
        assert {each.id for each in lineage.of(tx, search.id).descendants} == {job.id, again.id}
        source = lineage.of(tx, search.id).source
    assert source is not None
    assert source.job_id == supernet.id
    trained = agent.claimed()
    assert "search" not in trained.spec.model_dump(mode="json")
    other = job.spec.model_dump(mode="json") | {"variant": {"blocks": "3" * 20}}
    assert "is no candidate of" in refusal(control_plane, other)[1]


def test_what_a_search_has_left_is_a_source_of_weights(
    control_plane: ControlPlane, agent: Agent, supernet: Job
) -> None:
    search = submitted(control_plane, a_search(supernet))
    named = {"kind": "train", "init_from": {"search": search.id}, "data": {"dataset": "digits"}}
    pointer, message = refusal(control_plane, named)
    assert pointer == "/init_from/search"
    assert f"{search.id} is queued and has left no network" in message
    claim = agent.claimed()
    agent.beat(claim, an_event(1, "checkpoint", **best_path(search)))
    agent.report(claim)
    (checkpoint,) = control_plane.checkpoints_of(search).values()
    job = submitted(control_plane, named)
    assert isinstance(job.spec, TrainSpec)
    assert job.spec.init_from is not None
    assert (job.spec.init_from.id, job.variant) == (checkpoint.id, checkpoint.variant)
    evaluation = {"kind": "eval", "checkpoint": {"search": search.id}, "data": named["data"]}
    assert submitted(control_plane, evaluation).variant == checkpoint.variant
    pointer, message = refusal(control_plane, named | {"init_from": {"search": supernet.id}})
    assert "is a job of kind train: name it in job" in message


def test_a_supernet_offers_its_search_and_a_search_the_training_of_what_it_found(
    control_plane: ControlPlane, agent: Agent, supernet: Job
) -> None:
    offered = {action.name: action for action in control_plane.job(supernet).actions}
    # It is many networks in one.
    assert "evaluate" not in offered
    assert offered["export"].choices == {"format": ("pth.tar", "safetensors")}
    search = submitted(control_plane, offered["search"].body | {"params": PARAMS | SMALL})
    claim = agent.claimed()
    agent.beat(claim, found(1, a_candidate(0)), an_event(2, "checkpoint", **best_path(search)))
    agent.report(claim)
    train = {action.name: action for action in control_plane.job(search).actions}["train_found"]
    assert submitted(control_plane, train.body).variant == f"b{blocks_of(0)}"
