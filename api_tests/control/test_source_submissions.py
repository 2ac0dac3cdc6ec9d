"""Submissions that start from a checkpoint, or evaluate one."""

from typing import Any

import pytest

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.source_jobs import an_eval, trained
from api_tests.support.use_cases import ControlPlane
from service.contract.specs import EvalSpec
from service.domain.errors import Unprocessable


def test_an_eval_may_have_a_batch_larger_than_the_training_set(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent)
    assert control_plane.submit(**an_eval(source), params={"batch_size": 2000}).state == "queued"


def test_an_eval_of_a_job_takes_its_latest_checkpoint_along(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent)
    job = control_plane.submit(**an_eval(source))
    claim = agent.claim()
    assert claim is not None
    assert claim.job_id == job.id
    assert claim.weights is not None
    assert claim.weights.id == control_plane.job(source).latest_checkpoint


def test_an_eval_of_the_best_takes_the_best(control_plane: ControlPlane, agent: Agent) -> None:
    source = trained(control_plane, agent, errors=(0.2, 0.4))
    control_plane.submit(kind="eval", checkpoint={"job": source.id, "which": "best"})
    claim = agent.claim()
    assert claim is not None
    assert claim.weights is not None
    assert claim.weights.step == 10


def test_an_eval_of_a_job_without_a_checkpoint_is_refused(control_plane: ControlPlane) -> None:
    source = control_plane.submit()
    with pytest.raises(Unprocessable, match="has no checkpoint yet") as refused:
        control_plane.submit(**an_eval(source))
    assert refused.value.pointer == "/checkpoint/job"


def test_an_eval_of_another_network_is_refused(control_plane: ControlPlane, agent: Agent) -> None:
    source = trained(control_plane, agent)
    with pytest.raises(Unprocessable, match="is of oneshot searched, the job of shufflenet_v2"):
        control_plane.submit(**an_eval(source), recipe="shufflenet_v2", variant="1.0x")


def test_an_eval_on_data_with_another_class_count_is_refused(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent)
    with pytest.raises(Unprocessable, match="has 10 classes, the data 7") as refused:
        control_plane.submit(**an_eval(source), data={"val_dir": "val"}, params={"num_classes": 7})
    assert refused.value.code == "class_count"


def test_a_training_may_replace_the_head_for_another_class_count(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent)
    start = {"job": source.id, "head": "replace"}
    data = {"train_dir": "train", "val_dir": "val"}
    job = control_plane.submit(init_from=start, data=data, params={"num_classes": 7})
    assert job.state == "queued"


def test_a_damaged_checkpoint_is_no_source(control_plane: ControlPlane, agent: Agent) -> None:
    source = control_plane.submit()
    claim, manifest = agent.claimed(), a_manifest(source.id, 10)
    damaged = manifest.checkpoint_id
    found = an_event(2, "damaged", checkpoint_id=damaged, problems=["a bit flipped"])
    agent.beat(claim, an_event(1, "checkpoint", **published_body(manifest)), found)
    with pytest.raises(Unprocessable, match="is damaged; name another one"):
        control_plane.submit(kind="eval", checkpoint={"id": damaged})


def test_final_weights_have_no_training_state_to_go_on_from(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = control_plane.submit()
    final = published_body(a_manifest(source.id, 10, phase="final"))
    agent.beat(agent.claimed(), an_event(1, "checkpoint", **final))
    with pytest.raises(Unprocessable, match="final weights have no training state"):
        control_plane.submit(init_from={"job": source.id, "state": "full"})


@pytest.mark.parametrize("named", [{}, {"variant": "1.0x"}, {"recipe": "shufflenet_v2"}])
def test_an_eval_takes_from_the_checkpoint_what_it_leaves_out_of_the_network(
    control_plane: ControlPlane, agent: Agent, named: dict[str, str]
) -> None:
    source = trained(control_plane, agent, recipe="shufflenet_v2", variant="1.0x")
    job = control_plane.submit(**an_eval(source), **({"recipe": None} | named))
    assert (job.recipe, job.variant) == ("shufflenet_v2", "1.0x")
    assert isinstance(job.spec, EvalSpec)
    assert job.spec.network == ("shufflenet_v2", "1.0x")
    assert job.spec.params["image_size"] == 224


def test_a_fine_tune_takes_its_network_from_the_checkpoint(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent, recipe="shufflenet_v2", variant="1.0x")
    job = control_plane.submit(recipe=None, init_from={"job": source.id})
    assert (job.recipe, job.variant) == ("shufflenet_v2", "1.0x")
    assert job.progress.total_steps == 300_000


@pytest.mark.parametrize("fields", [{}, {"init_from": {"file": "weights.pth"}}])
def test_a_network_that_no_checkpoint_tells_is_asked_for(
    control_plane: ControlPlane, fields: dict[str, Any]
) -> None:
    with pytest.raises(Unprocessable, match="name a recipe; there are oneshot, ") as refused:
        control_plane.submit(recipe=None, **fields)
    assert refused.value.pointer == "/recipe"


@pytest.mark.parametrize(
    ("named", "job"),
    [
        ({"recipe": "shufflenet_v2"}, "shufflenet_v2"),
        ({"recipe": "resnet"}, "resnet"),
        ({"recipe": None, "variant": "1.0x"}, "1.0x"),
    ],
)
def test_a_wrong_network_is_answered_with_what_the_checkpoint_is(
    control_plane: ControlPlane, agent: Agent, named: dict[str, Any], job: str
) -> None:
    source = trained(control_plane, agent)
    with pytest.raises(Unprocessable, match=f"of oneshot searched, the job of {job};") as refused:
        control_plane.submit(**an_eval(source), **named)
    assert (refused.value.code, refused.value.pointer) == ("other_network", "/checkpoint")
