"""How long the control plane keeps a catalog: while a worker or a job needs it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from api_tests.support.catalogs import a_catalog, a_recipe, put_catalog
from api_tests.support.control_agent import Agent, say_gone
from api_tests.support.use_cases import ControlPlane
from service.contract.catalog import builtin_catalog
from service.control.scheduling import catalogs
from service.domain.errors import NotFound
from service.store.tables import catalogs as catalogs_table


def test_the_form_of_a_queued_job_is_known_after_its_workers_ended(
    control_plane: ControlPlane, agent: Agent
) -> None:
    put_catalog(agent, a_catalog(a_recipe()))
    job = control_plane.submit(recipe="mobilenet_v3", variant="small")
    say_gone(control_plane, agent)
    with control_plane.write() as tx:
        assert catalogs.delete_unused(tx, control_plane.now + timedelta(days=40)) == 0
        assert catalogs.recipe_named(tx, "mobilenet_v3") == a_recipe()
        assert catalogs.recipes(tx)[-1] == a_recipe()
    control_plane.cancel(job)
    with control_plane.write() as tx:
        names = [recipe.name for recipe in catalogs.recipes(tx)]
        assert "mobilenet_v3" not in names


def test_a_catalog_that_nobody_needs_is_deleted(
    control_plane: ControlPlane, new_agent: Callable[..., Agent]
) -> None:
    agent, other = new_agent(), new_agent()
    old, kept = a_catalog(a_recipe()), a_catalog(a_recipe("depthwise"))
    put_catalog(agent, old)
    put_catalog(other, kept)
    put_catalog(agent, a_catalog())
    with control_plane.write() as tx:
        assert catalogs.delete_unused(tx, control_plane.now - timedelta(days=1)) == 0
        assert catalogs.delete_unused(tx, control_plane.now) == 1
        left = set(tx.execute(select(catalogs_table.c.digest)).scalars())
    assert old.digest not in left
    assert kept.digest in left


def test_an_unknown_worker_sends_no_catalog(control_plane: ControlPlane) -> None:
    with control_plane.write() as tx, pytest.raises(NotFound):
        catalogs.put(tx, "wrk_none", builtin_catalog(), control_plane.now)
