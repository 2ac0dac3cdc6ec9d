"""Trainings of DetNAS's supernets: what is submitted is checked against the space of each."""

from typing import Any

import pytest

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.searches import (
    a_candidate,
    a_search,
    a_supernet,
    best_path,
    blocks_of,
    found,
    submitted,
)
from api_tests.support.use_cases import ControlPlane
from service.contract.catalog import builtin_catalog
from service.contract.specs import TrainSpec
from service.control.jobs import searches
from service.domain.errors import InvalidFields, Unprocessable


@pytest.mark.parametrize(("space", "places"), [("300M", 20), ("1.3G", 40)])
def test_a_supernet_is_submitted_by_its_recipe_alone(
    control_plane: ControlPlane, space: str, places: int
) -> None:
    job = control_plane.submit(recipe=f"detnas_supernet_{space}", variant=None)
    assert isinstance(job.spec, TrainSpec)
    assert job.spec.variant == space
    assert len(job.spec.params["choices"]) == places


def test_a_range_of_another_space_is_refused(control_plane: ControlPlane) -> None:
    published = {"sampling_macs_from": 290_000_000, "sampling_macs_to": 360_000_000}
    params: dict[str, Any] = {"sampling": "macs_uniform", **published}
    message = "raise sampling_macs_to to 1,015,963,744 or more"
    with pytest.raises(Unprocessable, match=message) as refused:
        control_plane.submit(recipe="detnas_supernet_1.3G", variant=None, params=params)
    assert refused.value.pointer == "/params/sampling_macs_to"


def test_choices_are_of_as_many_places_as_the_space_has(control_plane: ControlPlane) -> None:
    params = {"choices": ["0123"] * 20}
    control_plane.submit(recipe="detnas_supernet_300M", variant=None, params=params)
    with pytest.raises(InvalidFields):
        control_plane.submit(recipe="detnas_supernet_1.3G", variant=None, params=params)


@pytest.mark.parametrize("space", ["300M", "1.3G"])
def test_a_path_is_a_variant_of_the_space_that_the_supernet_names(space: str) -> None:
    supernet = builtin_catalog().recipe(f"detnas_supernet_{space}")
    assert supernet is not None
    assert supernet.path_recipe is not None
    paths = builtin_catalog().recipe(supernet.path_recipe)
    assert paths is not None
    found = paths.for_paths_of(supernet).search_space
    assert found is not None
    assert found.name == f"{space}.path"
    plain = builtin_catalog().recipe("supernet")
    oneshot = builtin_catalog().recipe("oneshot")
    assert plain is not None
    assert oneshot is not None
    assert oneshot.for_paths_of(plain) == oneshot


def test_what_a_search_has_found_is_of_the_space_of_the_paths(
    control_plane: ControlPlane, agent: Agent
) -> None:
    supernet = a_supernet(control_plane, agent, recipe="detnas_supernet_300M", variant="300M")
    search = submitted(control_plane, a_search(supernet))
    claim = agent.claimed()
    variant = f"300M.path-b{blocks_of(0)}"
    path = best_path(search, recipe="detnas", variant=variant)
    agent.beat(claim, found(1, a_candidate(0)), an_event(2, "checkpoint", **path))
    agent.report(claim)
    (checkpoint,) = control_plane.checkpoints_of(search).values()
    assert (checkpoint.recipe, checkpoint.variant) == ("detnas", variant)
    with control_plane.database.read() as tx:
        summary = searches.summary(tx, search.id)
    assert (summary.recipe, summary.space, summary.places) == ("detnas", "300M.path", 20)
    train = {action.name: action for action in control_plane.job(search).actions}["train_found"]
    named = {"blocks": blocks_of(0)}
    for body in (train.body, train.body | {"variant": named, "search": search.id}):
        job = submitted(control_plane, body)
        assert (job.recipe, job.variant) == ("detnas", variant)


def test_the_published_limit_is_too_small_for_the_larger_space(
    control_plane: ControlPlane, agent: Agent
) -> None:
    supernet = a_supernet(control_plane, agent, recipe="detnas_supernet_1.3G", variant="1.3G")
    body = a_search(supernet, params={"macs_limit": 330_000_000, "macs_image_size": 224})
    with pytest.raises(Unprocessable) as refused:
        submitted(control_plane, body)
    assert refused.value.pointer == "/params/macs_limit"
