import pytest

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.job_lists import newest_jobs
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import ControlPlane
from service.contract.changes import JobEdit
from service.contract.jobs import Job
from service.control.checkpoints import index
from service.control.jobs import edits
from service.domain.errors import Conflict, NotFound, Stale
from service.store import checkpoints as store


def test_a_higher_priority_moves_a_job_ahead(control_plane: ControlPlane, agent: Agent) -> None:
    first, second = control_plane.submit(), control_plane.submit()
    edited = edit(control_plane, second, priority=1)
    assert (edited.spec.priority, edited.queue_position) == (1, 1)
    assert control_plane.job(first).queue_position == 2
    assert agent.claimed().job_id == second.id


def test_name_and_labels_change_and_the_rest_stays(control_plane: ControlPlane) -> None:
    job = control_plane.submit(name="old", labels={"a": "1", "b": "2"}, priority=4)
    edited = edit(control_plane, job, name="new", labels={"a": "3"})
    assert (edited.name, edited.labels, edited.version) == ("new", {"a": "3"}, job.version + 1)
    assert edited.spec.priority == 4
    assert found_by(control_plane, ("a", "3")) == [job.id]
    assert found_by(control_plane, ("b", "2")) == []
    assert len(control_plane.events_of(job, "edited")) == 1


def test_an_edit_that_changes_nothing_is_no_new_version(control_plane: ControlPlane) -> None:
    job = control_plane.submit(name="same")
    assert edit(control_plane, job, name="same").version == job.version


def test_an_edit_of_another_version_is_refused(control_plane: ControlPlane) -> None:
    job = control_plane.submit()
    edit(control_plane, job, job.version, name="one")
    with pytest.raises(Stale):
        edit(control_plane, job, job.version, name="two")
    assert control_plane.job(job).name == "one"


def test_a_deleted_job_is_forgotten_and_its_pinned_checkpoints_are_kept(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(retention={"keep_last": 5})
    claim = agent.claimed()
    for seq, step in enumerate((10, 20, 30), start=1):
        agent.beat(claim, an_event(seq, "checkpoint", **published_body(a_manifest(job.id, step))))
    agent.report(claim)
    saved = control_plane.checkpoints_of(job)
    used = control_plane.submit(kind="eval", checkpoint={"id": saved[30].id})
    with control_plane.write() as tx:
        store.change(tx, saved[10].id, pinned=True, tags=None)
        edits.delete(tx, job.id)
    with pytest.raises(NotFound):
        control_plane.job(job)
    with control_plane.database.read() as tx:
        states = {step: index.get(tx, c.id).state for step, c in saved.items()}
    assert states == {10: "published", 20: "deleting", 30: "published"}
    assert agent.claimed().job_id == used.id


def test_a_job_that_has_not_ended_is_not_deleted(control_plane: ControlPlane) -> None:
    job = control_plane.submit()
    with pytest.raises(Conflict), control_plane.write() as tx:
        edits.delete(tx, job.id)
    assert control_plane.job(job) == job


def edit(
    control_plane: ControlPlane, job: Job, version: int | None = None, **fields: object
) -> Job:
    change = JobEdit.model_validate(fields)
    with control_plane.write() as tx:
        versions = None if version is None else [version]
        edits.edit(tx, job.id, change, versions=versions, now=control_plane.now)
    return control_plane.job(job)


def found_by(control_plane: ControlPlane, label: tuple[str, str]) -> list[str]:
    with control_plane.database.read() as tx:
        return [job.id for job in newest_jobs(tx, labels=(label,))]
