"""Jobs of each kind and in each state, through the use cases."""

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import ControlPlane
from service.contract.exchange import ExportRequest, ImportRequest
from service.contract.jobs import Job, JobState
from service.control.jobs import import_export
from service.store import jobs as store


def job_of_kind(control_plane: ControlPlane, agent: Agent, kind: str) -> Job:
    """A queued job of a kind, the first in the queue."""
    if kind == "train":
        return control_plane.submit()
    if kind == "import":
        with control_plane.write() as tx:
            request = ImportRequest(file="a.pth")
            result = import_export.submit_import(
                tx, request, job_id=control_plane.new_job_id(), key=None, now=control_plane.now
            )
        return control_plane.job_of(result)
    source = a_manifest(failed_training(control_plane, agent, 10).id, 10).checkpoint_id
    if kind == "eval":
        return control_plane.submit(kind="eval", checkpoint={"id": source})
    with control_plane.write() as tx:
        result = import_export.submit_export(
            tx,
            ExportRequest(checkpoint=source),
            job_id=control_plane.new_job_id(),
            now=control_plane.now,
        )
    return control_plane.job_of(result)


def failed_training(
    control_plane: ControlPlane, agent: Agent, *steps: int, phase: str = "train"
) -> Job:
    """A failed training of 50 iterations with checkpoints at some steps."""
    job = control_plane.submit(params={"batch_size": 32, "total_iters": 50})
    saved = [
        an_event(seq, "checkpoint", **published_body(a_manifest(job.id, step, phase=phase)))
        for seq, step in enumerate(steps, start=1)
    ]
    agent.report(agent.claimed(), "failed", "invalid_data", events=tuple(saved))
    return control_plane.job(job)


def in_state(control_plane: ControlPlane, job: Job, state: JobState) -> Job:
    """The job, put in a state as it is."""
    with control_plane.write() as tx:
        store.change(tx, job.id, list(JobState), {"state": state})
    return control_plane.job(job)
