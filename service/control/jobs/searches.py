"""What a search has measured so far, as its users see it."""

from sqlalchemy import Connection

from service.contract.candidates import Candidate
from service.contract.search_summaries import CandidateOrder, SearchSummary
from service.contract.specs import SearchSpec
from service.control.kinds.supernets import known_paths_of, path_space
from service.domain.errors import NotFound, Unprocessable
from service.domain.search_results import summary_of
from service.store import candidates, checkpoints, jobs
from service.store.job_rows import StoredJob


def version(tx: Connection, job_id: str) -> int:
    """The version of a search, which changes with what it measures; raises NotFound."""
    return _search_of(tx, job_id)[0].job.version


def summary(tx: Connection, job_id: str) -> SearchSummary:
    """How far it is and what it has found; raises NotFound for a job that is no search."""
    stored, spec = _search_of(tx, job_id)
    source_id = stored.source_checkpoint
    source = checkpoints.get(tx, source_id) if source_id is not None else None
    paths = known_paths_of(tx, spec)
    space = None
    if paths is not None:
        space = path_space(paths, spec.params.macs_image_size, spec.training, source)
    found = candidates.of_job(tx, job_id)
    recipe = paths.name if paths is not None else None
    shown = summary_of(job_id, spec.params, found, recipe=recipe, space=space)
    of = paths.search_space if paths is not None else None
    return shown.model_copy(update={"space": of.name if of is not None else None})


def page(
    tx: Connection, job_id: str, order_by: CandidateOrder, after: str | None, limit: int
) -> tuple[list[Candidate], bool]:
    """Candidates behind that of the blocks `after`, in an order, and whether there are more.

    Raises NotFound for a job that is no search, and Unprocessable for an `after` of none of its
    candidates.
    """
    _, spec = _search_of(tx, job_id)
    found = candidates.page(
        tx,
        job_id,
        order_by=order_by,
        fitness=spec.params.fitness,
        after=after,
        limit=limit + 1,
    )
    if found is None:
        message = f"{job_id} has no candidate {after}: give the `next` of the page before"
        raise Unprocessable("no_such_candidate", message, "/after")
    return found[:limit], len(found) > limit


def require_search(tx: Connection, job_id: str) -> None:
    """Raise NotFound for a job that is not there, or that is no search."""
    _search_of(tx, job_id)


def _search_of(tx: Connection, job_id: str) -> tuple[StoredJob, SearchSpec]:
    stored = jobs.get(tx, job_id)
    if stored is None:
        raise NotFound("no_such_job", f"there is no job {job_id}")
    if not isinstance(stored.job.spec, SearchSpec):
        message = f"{job_id} is a job of kind {stored.job.kind}, and only a search has candidates"
        raise NotFound("no_search", message)
    return stored, stored.job.spec
