"""A job is given only to a worker that has its recipe in the form of the job."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api_tests.support.catalogs import a_catalog, a_recipe
from api_tests.support.use_cases import Agent, Plane, gpus, say_gone
from service.contract.catalog import Catalog, RecipeInfo, builtin_catalog
from service.contract.changes import JobEdit
from service.contract.jobs import Job
from service.control.jobs import edits
from service.control.scheduling import catalogs
from service.domain.errors import NotFound
from service.store.tables import catalogs as catalogs_table
from service.store.tables import jobs as jobs_table

NewAgent = Callable[..., Agent]
DEPTH = {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}
SHALLOW = a_recipe("oneshot", depth=DEPTH | {"maximum": 5})
DEEP = a_recipe("oneshot", depth=DEPTH)


def put(agent: Agent, *recipes: RecipeInfo, **fields: Any) -> Catalog:
    catalog = a_catalog(*recipes, **fields)
    with agent.plane.write() as tx:
        catalogs.put(tx, agent.id, catalog, agent.plane.now)
    agent.plane.later(1)
    return catalog


def submit(plane: Plane, **fields: Any) -> Job:
    return plane.submit(variant="small", **fields)


def test_a_job_of_an_installed_recipe_waits_for_a_worker_that_has_it(
    plane: Plane, new_agent: NewAgent
) -> None:
    able, other = new_agent(), new_agent()
    put(able, a_recipe())
    job = submit(plane, recipe="mobilenet_v3")
    assert other.claim() is None
    say_gone(plane, able)
    assert plane.job(job).wait_reason == "no worker has the recipe mobilenet_v3"
    able.register()
    assert plane.job(job).wait_reason is None
    claim = able.claim()
    assert claim is not None
    assert claim.job_id == job.id


def test_a_job_of_another_form_waits_and_says_so(plane: Plane, new_agent: NewAgent) -> None:
    deep, shallow = new_agent(), new_agent()
    put(shallow, SHALLOW)
    put(deep, DEEP)
    job = submit(plane, params={"depth": 9})
    say_gone(plane, deep)
    assert shallow.claim() is None
    reason = "no worker has the recipe oneshot in the form of this job"
    assert plane.job(job).wait_reason == reason
    deep.register()
    claim = deep.claim()
    assert claim is not None
    assert claim.job_id == job.id


def test_an_upgrade_strands_no_queued_job_whose_parameters_fit(
    plane: Plane, new_agent: NewAgent
) -> None:
    before = new_agent()
    put(before, SHALLOW)
    jobs = [submit(plane, params={"depth": depth}) for depth in (5, 1)]
    say_gone(plane, before)
    after = new_agent()
    put(after, DEEP)
    assert [plane.job(job).wait_reason for job in jobs] == [None, None]
    assert [after.claimed().job_id for _ in jobs] == [job.id for job in jobs]


def test_jobs_that_do_not_fit_hide_none_behind_them(plane: Plane, new_agent: NewAgent) -> None:
    deep, shallow = new_agent(), new_agent()
    put(shallow, SHALLOW)
    put(deep, DEEP)
    for _ in range(5):
        submit(plane, params={"depth": 9})
    fitting = submit(plane, params={"depth": 2})
    assert shallow.claimed().job_id == fitting.id
    assert shallow.claim() is None


def test_a_submission_is_checked_against_the_newest_form_of_a_worker(
    plane: Plane, new_agent: NewAgent
) -> None:
    older, newer = new_agent(), new_agent()
    put(older, SHALLOW)
    put(newer, DEEP)
    assert form_of(plane) == DEEP
    say_gone(plane, newer)
    assert form_of(plane) == SHALLOW
    say_gone(plane, older)
    assert form_of(plane) == builtin_catalog().recipes[0]


def test_the_form_of_a_queued_job_is_known_after_its_workers_ended(
    plane: Plane, agent: Agent
) -> None:
    put(agent, a_recipe())
    job = submit(plane, recipe="mobilenet_v3")
    say_gone(plane, agent)
    with plane.write() as tx:
        assert catalogs.delete_unused(tx, plane.now + timedelta(days=40)) == 0
        assert catalogs.recipe_named(tx, "mobilenet_v3") == a_recipe()
        assert catalogs.recipes(tx)[-1] == a_recipe()
    plane.cancel(job)
    with plane.write() as tx:
        names = [recipe.name for recipe in catalogs.recipes(tx)]
        assert "mobilenet_v3" not in names


def test_a_catalog_that_nobody_needs_is_deleted(plane: Plane, new_agent: NewAgent) -> None:
    agent, other = new_agent(), new_agent()
    old = put(agent, a_recipe())
    kept = put(other, DEEP)
    put(agent)
    with plane.write() as tx:
        assert catalogs.delete_unused(tx, plane.now - timedelta(days=1)) == 0
        assert catalogs.delete_unused(tx, plane.now) == 1
        left = set(tx.execute(select(catalogs_table.c.digest)).scalars())
    assert old.digest not in left
    assert kept.digest in left


def test_a_worker_gets_only_jobs_of_its_kinds(plane: Plane, agent: Agent) -> None:
    put(agent, kinds=("eval", "import", "export"))
    job = plane.submit()
    assert agent.claim() is None
    assert plane.job(job).wait_reason == "no worker runs jobs of the kind train"


def test_labels_and_recipe_must_be_on_one_worker(plane: Plane, new_agent: NewAgent) -> None:
    put(new_agent(), a_recipe())
    new_agent(labels={"zone": "a"})
    job = submit(plane, recipe="mobilenet_v3", resources={"labels": {"zone": "a"}})
    reason = "no worker with the labels zone=a has the recipe mobilenet_v3"
    assert plane.job(job).wait_reason == reason


def test_a_job_of_a_version_before_catalogs_runs_on_any_worker(plane: Plane, agent: Agent) -> None:
    put(agent, DEEP, kinds=())
    job = plane.submit(variant="small")
    with plane.write() as tx:
        tx.execute(jobs_table.update().values(needs="{}"))
    claim = agent.claim()
    assert claim is not None
    assert claim.job_id == job.id


def test_an_edit_keeps_the_form_of_a_job(plane: Plane, new_agent: NewAgent) -> None:
    deep, shallow = new_agent(), new_agent()
    put(shallow, SHALLOW)
    put(deep, DEEP)
    job = submit(plane, params={"depth": 9})
    with plane.write() as tx:
        edits.edit(tx, job.id, JobEdit(priority=5), version=None, now=plane.now)
    assert shallow.claim() is None
    assert deep.claim() is not None


def test_a_wide_job_reserves_a_worker_that_can_run_its_recipe(
    plane: Plane, new_agent: NewAgent
) -> None:
    able, other = new_agent(gpus=gpus(2), slots=8), new_agent(gpus=gpus(2), slots=8)
    put(able, a_recipe())
    plane.submit(resources={"gpus": 1})
    able.claimed(free_gpus=2)
    wide = submit(plane, recipe="mobilenet_v3", resources={"gpus": 2})
    narrow = plane.submit(resources={"gpus": 1})
    assert able.claim(free_gpus=1) is None
    assert plane.job(wide).wait_reason == "no worker has 2 free GPUs"
    claim = other.claim(free_gpus=2)
    assert claim is not None
    assert claim.job_id == narrow.id


def test_an_unknown_worker_sends_no_catalog(plane: Plane) -> None:
    with plane.write() as tx, pytest.raises(NotFound):
        catalogs.put(tx, "wrk_none", builtin_catalog(), plane.now)


def form_of(plane: Plane) -> RecipeInfo:
    with plane.database.read() as tx:
        return catalogs.recipe_named(tx, "oneshot")
