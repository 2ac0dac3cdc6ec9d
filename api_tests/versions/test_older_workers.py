"""A job that asks for what an older worker does not know waits for one that does."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update

from api_tests.support.catalogs import put_catalog
from api_tests.support.control_agent import Agent
from api_tests.support.use_cases import ControlPlane
from service.contract.catalog import Catalog, builtin_catalog
from service.contract.submissions import Submission
from service.control.jobs import submission
from service.store.tables import catalogs as catalog_table
from service.store.tables import workers

NewAgent = Callable[..., Agent]
FOLDERS = {"train_dir": "train", "val_dir": "val"}
TURNED = {"exif_orientation": "apply"}
PACKED = {"packed": "photos.pack"}
DATA: list[tuple[dict[str, str], tuple[str, ...]]] = [
    (FOLDERS | TURNED, ("packed",)),
    (PACKED, ("exif-oriented",)),
    (PACKED | TURNED, ("packed",)),
    (PACKED | TURNED, ("exif-oriented",)),
    (PACKED | TURNED, ()),
]
PARAMETERS: list[tuple[str, Any]] = [
    ("accumulate", 2),
    ("batch_norm", "synchronised"),
    ("learning_rate_scaling", "linear"),
    ("augment_on", "device"),
    ("decode_on", "device"),
    ("precision", "bf16"),
    ("memory_format", "channels_last"),
    ("compile", "on"),
    ("exact", False),
    ("parity", True),
]


def submit(control_plane: ControlPlane, **fields: Any) -> str:
    body = {"kind": "train", "recipe": "oneshot", "data": FOLDERS} | fields
    spec, job_id = Submission.model_validate(body).root, control_plane.new_job_id()
    with control_plane.write() as tx:
        submission.submit(tx, spec, job_id=job_id, key=None, now=control_plane.now)
    return job_id


def without(parameter: str) -> Catalog:
    """The catalog of a worker whose recipes lack a parameter."""
    catalog = builtin_catalog()
    recipes = []
    for recipe in catalog.recipes:
        properties = {
            name: schema
            for name, schema in recipe.parameters["properties"].items()
            if name != parameter
        }
        schema = recipe.parameters | {"properties": properties}
        recipes.append(recipe.model_copy(update={"parameters": schema}))
    return catalog.model_copy(update={"recipes": tuple(recipes)})


@pytest.mark.parametrize(("data", "reads"), DATA, ids=repr)
def test_a_job_is_not_given_to_a_worker_that_does_not_know_what_it_asks_for(
    control_plane: ControlPlane, new_agent: NewAgent, data: Any, reads: tuple[str, ...]
) -> None:
    older, able = new_agent(), new_agent()
    put_catalog(older, builtin_catalog().model_copy(update={"data_forms": reads}))
    job_id = submit(control_plane, data=data)
    assert older.claim() is None
    put_catalog(able, builtin_catalog())
    assert older.claim() is None
    assert able.claimed().job_id == job_id


@pytest.mark.parametrize(("parameter", "value"), PARAMETERS)
def test_a_parameter_is_not_given_to_a_worker_whose_recipe_lacks_it(
    control_plane: ControlPlane, new_agent: NewAgent, parameter: str, value: Any
) -> None:
    older, able = new_agent(), new_agent()
    put_catalog(older, without(parameter))
    put_catalog(able, builtin_catalog())
    job_id = submit(control_plane, params={parameter: value})
    assert older.claim() is None
    assert able.claimed().job_id == job_id


def test_a_waiting_job_says_what_no_worker_reads(control_plane: ControlPlane, agent: Agent) -> None:
    put_catalog(agent, builtin_catalog().model_copy(update={"data_forms": ("packed",)}))
    job = control_plane.submit(data=PACKED | TURNED)
    reason = control_plane.job(job).wait_reason
    assert reason == (
        "no worker reads exif-oriented and packed data: start one of a version that does"
    )


def test_plain_data_runs_on_any_worker(control_plane: ControlPlane, agent: Agent) -> None:
    put_catalog(agent, builtin_catalog().model_copy(update={"data_forms": ()}))
    job_id = submit(control_plane, data=FOLDERS | {"exif_orientation": "ignore"})
    assert agent.claimed().job_id == job_id


def test_the_newest_catalog_is_the_one_that_came_last_although_it_was_known_before(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    older, able = new_agent(), new_agent()
    put_catalog(able, builtin_catalog())
    assert submit(control_plane, params={"accumulate": 2})
    with control_plane.write() as tx:
        tx.execute(update(workers).values(catalog_digest=None))
        tx.execute(delete(catalog_table))
    put_catalog(older, without("accumulate"))
    put_catalog(able, builtin_catalog())
    assert submit(control_plane, params={"accumulate": 2})
