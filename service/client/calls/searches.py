"""The calls for searches of supernets, and for what they have found."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from service.client.calls.jobs import job, submit
from service.client.calls.responses import paginate, path_segment, requested
from service.client.errors import TrainyardError
from service.client.flow import Flow, ItemFlow
from service.contract.candidates import Candidate
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import Job
from service.contract.search_summaries import CandidateOrder, SearchSummary
from service.contract.specs import SearchSpec

_PAGE = 1000
_OF_JOB = SearchSpec.model_fields.keys() - {"params", "recipe", "variant", "training"}
"""What of a search's fields is no parameter of the search itself."""


def search(
    checkpoint: str | Checkpoint | Mapping[str, Any],
    data: str | Mapping[str, Any],
    *,
    key: str | None = None,
    **params: Any,
) -> Flow[Job]:
    """Search a supernet's checkpoint for its best path, with parameters such as `macs_limit`.

    `data` is a named data set, or as a submission has it. Other fields of a submission, such as
    `resources` and `name`, are keywords, too. The idempotency key makes one job even if the request
    is sent again.
    """
    fields = {name: value for name, value in params.items() if name in _OF_JOB}
    own = {name: value for name, value in params.items() if name not in _OF_JOB}
    spec = {
        "kind": "search",
        "checkpoint": _reference(checkpoint),
        "data": {"dataset": data} if isinstance(data, str) else dict(data),
        "params": own,
    }
    return submit(spec, key=key, **fields)


def search_job(job_id: str) -> Flow[Job]:
    """A search that was submitted before."""
    return job(job_id)


def search_summary(job_id: str) -> Flow[SearchSummary]:
    """How far a search is, its best candidate, the Pareto front, generations and parents."""
    return requested(SearchSummary, "GET", f"{_path(job_id)}/search")


def candidates(job_id: str, *, order_by: CandidateOrder = "order") -> ItemFlow[Candidate]:
    """All candidates of a search: as it asks for them, the best first, or the smallest first."""
    query = {"order_by": order_by, "limit": _PAGE}
    return paginate(Candidate, f"{_path(job_id)}/candidates", query)


def train_candidate(
    job_id: str, blocks: str, *, key: str | None = None, **fields: Any
) -> Flow[Job]:
    """Train a path of a search as a network of its own, from new weights.

    The fields of a training are keywords; left out, the data are those of the search, and the image
    size that of its supernet.
    """
    of = yield from job(job_id)
    if not isinstance(of.spec, SearchSpec):
        raise TrainyardError(f"{job_id} is a job of kind {of.kind}: name a search")
    training = of.spec.training
    size = {"image_size": training["image_size"]} if "image_size" in training else {}
    spec = {
        "kind": "train",
        "search": job_id,
        "variant": {"blocks": blocks},
        "data": of.spec.data.model_dump(mode="json", exclude_none=True),
    }
    params = {**size, **fields.pop("params", {})}
    return (yield from submit(spec, key=key, **{**fields, "params": params}))


def best_candidate(job_id: str) -> Flow[Candidate]:
    """The best candidate so far; raises TrainyardError where there is none."""
    best = (yield from search_summary(job_id)).best
    if best is None:
        raise TrainyardError(f"{job_id} has measured no candidate yet: ask again later")
    return best


def _reference(checkpoint: str | Checkpoint | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(checkpoint, Mapping):
        return dict(checkpoint)
    return {"id": checkpoint.id if isinstance(checkpoint, BaseModel) else checkpoint}


def _path(job_id: str) -> str:
    return f"/jobs/{path_segment(job_id)}"
