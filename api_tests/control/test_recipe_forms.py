"""A job is given only to a worker that has its recipe in the form of the job."""

from collections.abc import Callable
from typing import Any

import pytest

from api_tests.support.catalogs import a_catalog, a_recipe, put_catalog
from api_tests.support.control_agent import Agent, an_event, gpus, say_gone
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import ControlPlane
from service.contract.catalog import RecipeInfo, builtin_catalog
from service.contract.changes import JobEdit
from service.contract.jobs import Job
from service.control.jobs import edits
from service.control.scheduling import catalogs
from service.store.tables import jobs as jobs_table

NewAgent = Callable[..., Agent]
DEPTH = {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}
SHALLOW = a_recipe("oneshot", depth=DEPTH | {"maximum": 5})
DEEP = a_recipe("oneshot", depth=DEPTH)


def put(agent: Agent, *recipes: RecipeInfo, **fields: Any) -> None:
    put_catalog(agent, a_catalog(*recipes, **fields))


def submit(control_plane: ControlPlane, **fields: Any) -> Job:
    return control_plane.submit(variant="small", **fields)


def test_a_job_of_an_installed_recipe_waits_for_a_worker_that_has_it(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    able, other = new_agent(), new_agent()
    put(able, a_recipe())
    job = submit(control_plane, recipe="mobilenet_v3")
    assert other.claim() is None
    say_gone(control_plane, able)
    assert control_plane.job(job).wait_reason == "no worker has the recipe mobilenet_v3"
    able.register()
    assert control_plane.job(job).wait_reason is None
    claim = able.claim()
    assert claim is not None
    assert claim.job_id == job.id


def test_a_job_of_another_form_waits_and_says_so(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    deep, shallow = new_agent(), new_agent()
    put(shallow, SHALLOW)
    put(deep, DEEP)
    job = submit(control_plane, params={"depth": 9})
    say_gone(control_plane, deep)
    assert shallow.claim() is None
    reason = "no worker has the recipe oneshot in the form of this job"
    assert control_plane.job(job).wait_reason == reason
    deep.register()
    claim = deep.claim()
    assert claim is not None
    assert claim.job_id == job.id


def test_an_upgrade_strands_no_queued_job_whose_parameters_fit(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    before = new_agent()
    put(before, SHALLOW)
    jobs = [submit(control_plane, params={"depth": depth}) for depth in (5, 1)]
    say_gone(control_plane, before)
    after = new_agent()
    put(after, DEEP)
    assert [control_plane.job(job).wait_reason for job in jobs] == [None, None]
    assert [after.claimed().job_id for _ in jobs] == [job.id for job in jobs]


def test_jobs_that_do_not_fit_hide_none_behind_them(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    deep, shallow = new_agent(), new_agent()
    put(shallow, SHALLOW)
    put(deep, DEEP)
    for _ in range(5):
        submit(control_plane, params={"depth": 9})
    fitting = submit(control_plane, params={"depth": 2})
    assert shallow.claimed().job_id == fitting.id
    assert shallow.claim() is None


def test_a_submission_is_checked_against_the_newest_form_of_a_worker(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    older, newer = new_agent(), new_agent()
    put(older, SHALLOW)
    put(newer, DEEP)
    assert form_of(control_plane) == DEEP
    say_gone(control_plane, newer)
    assert form_of(control_plane) == SHALLOW
    say_gone(control_plane, older)
    assert form_of(control_plane) == builtin_catalog().recipes[0]


def test_a_worker_gets_only_jobs_of_its_kinds(control_plane: ControlPlane, agent: Agent) -> None:
    put(agent, kinds=("eval", "import", "export"))
    job = control_plane.submit()
    assert agent.claim() is None
    assert control_plane.job(job).wait_reason == "no worker runs jobs of the kind train"


def test_labels_and_recipe_must_be_on_one_worker(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    put(new_agent(), a_recipe())
    new_agent(labels={"zone": "a"})
    job = submit(control_plane, recipe="mobilenet_v3", resources={"labels": {"zone": "a"}})
    reason = "no worker with the labels zone=a has the recipe mobilenet_v3"
    assert control_plane.job(job).wait_reason == reason


def test_a_job_of_a_version_before_catalogs_runs_on_any_worker(
    control_plane: ControlPlane, agent: Agent
) -> None:
    put(agent, DEEP, kinds=())
    job = control_plane.submit(variant="small")
    with control_plane.write() as tx:
        tx.execute(jobs_table.update().values(needs="{}"))
    claim = agent.claim()
    assert claim is not None
    assert claim.job_id == job.id


def test_an_edit_keeps_the_form_of_a_job(control_plane: ControlPlane, new_agent: NewAgent) -> None:
    deep, shallow = new_agent(), new_agent()
    put(shallow, SHALLOW)
    put(deep, DEEP)
    job = submit(control_plane, params={"depth": 9})
    with control_plane.write() as tx:
        edits.edit(tx, job.id, JobEdit(priority=5), versions=None, now=control_plane.now)
    assert shallow.claim() is None
    assert deep.claim() is not None


@pytest.mark.parametrize("origin", ["start", "latest"])
def test_a_retry_keeps_the_form_of_the_job_when_a_newer_one_refuses_its_parameters(
    control_plane: ControlPlane, new_agent: NewAgent, origin: str
) -> None:
    deep, shallow = new_agent(), new_agent()
    put(deep, DEEP)
    job = submit(control_plane, params={"depth": 9})
    claim = deep.claimed()
    manifest = a_manifest(job.id, 10, variant="small")
    deep.beat(claim, an_event(1, "checkpoint", **published_body(manifest)))
    deep.report(claim, "failed", "invalid_data", message="what to change")
    put(shallow, SHALLOW)
    again = control_plane.job_of(control_plane.retry(job, origin))
    assert again.spec.params == job.spec.params
    assert shallow.claim() is None
    assert deep.claimed().job_id == again.id


def test_a_wide_job_reserves_a_worker_that_can_run_its_recipe(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    able, other = new_agent(gpus=gpus(2), slots=8), new_agent(gpus=gpus(2), slots=8)
    put(able, a_recipe())
    control_plane.submit(resources={"gpus": 1})
    able.claimed(free_gpus=2)
    wide = submit(control_plane, recipe="mobilenet_v3", resources={"gpus": 2})
    narrow = control_plane.submit(resources={"gpus": 1})
    assert able.claim(free_gpus=1) is None
    assert control_plane.job(wide).wait_reason == "no worker has 2 free GPUs"
    claim = other.claim(free_gpus=2)
    assert claim is not None
    assert claim.job_id == narrow.id


def form_of(control_plane: ControlPlane) -> RecipeInfo:
    with control_plane.database.read() as tx:
        return catalogs.recipe_named(tx, "oneshot")


def test_a_worker_without_a_catalog_is_sent_no_parameter_that_has_its_default(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    older, able = new_agent(), new_agent()
    put(able, *builtin_catalog().recipes)
    control_plane.submit(params={"batch_size": 8})
    control_plane.submit(params={"batch_size": 8})
    complete = able.claim()
    assert complete is not None
    assert complete.job_spec.params["data_workers"] == "auto"
    # Its own default of data_workers is a number, and text would be refused by it.
    given = older.claim("r")
    assert given is not None
    assert given.job_spec.params == {"batch_size": 8}
    assert older.claim("r") == given


def test_an_architecture_waits_for_a_worker_whose_form_has_the_space(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    able, older = new_agent(), new_agent()
    put(able)
    put(older, builtin_catalog().recipes[0].model_copy(update={"search_space": None}))
    say_gone(control_plane, older)
    named = control_plane.submit(variant="searched")
    job = control_plane.submit(variant={"blocks": "0" * 20})
    say_gone(control_plane, able)
    older.register()
    assert older.claimed().job_id == named.id
    assert older.claim() is None
    reason = "no worker has the recipe oneshot in the form of this job"
    assert control_plane.job(job).wait_reason == reason
    able.register()
    assert able.claimed().job_id == job.id


@pytest.mark.parametrize(
    ("recipe", "variant"),
    [("oneshot", {"blocks": "0" * 20}), ("detnas", {"blocks": "0" * 40})],
)
def test_a_worker_of_before_catalogs_is_given_no_architecture(
    control_plane: ControlPlane, agent: Agent, recipe: str, variant: dict[str, str]
) -> None:
    job = control_plane.submit(recipe=recipe, variant=variant)
    assert agent.claim() is None
    named = control_plane.submit(variant="searched")
    assert agent.claimed().job_id == named.id
    put(agent)
    assert agent.claimed().job_id == job.id
