"""The lists of jobs of the stand-in: filters, orders, pages, curves and actions on many."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from starlette.datastructures import QueryParams

from service.contract.jobs import Job, JobState

MOST = 1000
"""The most jobs that one bulk request changes."""


def page_of(jobs: list[Job], query: QueryParams) -> dict[str, Any]:
    """A page of jobs as `GET /jobs` answers it; the first one has `counts` and `total`."""
    stateless = [job for job in jobs if _matches(job, query)]
    chosen = _in_state(stateless, query.getlist("state"))
    ordered = _ordered(chosen, query.get("order_by", "-created_at"))
    after, limit = query.get("after"), int(query.get("limit", "20"))
    ids = [job.id for job in ordered]
    start = ids.index(after) + 1 if after in ids else _place_after(ids, after)
    page = ordered[start : start + limit]
    more = len(ordered) > start + limit
    answer: dict[str, Any] = {"object": "list", "data": [_shown(job, query) for job in page]}
    answer |= {"has_more": more, "next": page[-1].id if more else None}
    if after is None:
        counts = Counter(str(job.state) for job in stateless)
        answer |= {"counts": dict(counts), "total": len(ordered)}
    return answer


def matching(jobs: list[Job], body: dict[str, Any]) -> list[Job]:
    """The jobs that a bulk request means, by `ids` or by `filter`."""
    if "ids" in body:
        return [job for job in jobs if job.id in set(body["ids"])]
    pairs = [(name, one) for name, value in body["filter"].items() for one in _several(value)]
    query = QueryParams(pairs)
    return _in_state([job for job in jobs if _matches(job, query)], query.getlist("state"))


def bulk_answer(
    jobs: list[Job], body: dict[str, Any], act: Callable[[Job], Job | str]
) -> tuple[dict[str, Any], dict[str, Job]]:
    """The answer to a request, and the changed jobs; `act` gives one, or why it is refused."""
    results: list[dict[str, Any]] = []
    changed: dict[str, Job] = {}
    jobs = [job for job in jobs if body.get("after") is None or job.id < body["after"]]
    part, left = jobs[:MOST], len(jobs[MOST:])
    for job in part:
        done = act(job)
        if isinstance(done, str):
            problem = {"code": "not_allowed", "detail": done}
            results.append({"id": job.id, "ok": False, "problem": problem})
        else:
            changed[job.id] = done
            small = {"id": job.id, "state": str(done.state), "version": done.version}
            results.append({"id": job.id, "ok": True, "job": small})
    answer = {"matched": len(results), "results": results}
    further = {"next": part[-1].id, "left": left} if left else {}
    return answer | further, changed


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _in_state(jobs: Iterable[Job], states: list[str]) -> list[Job]:
    return [job for job in jobs if not states or job.state in states]


def _matches(job: Job, query: QueryParams) -> bool:
    labels = [f"{key}:{value}" for key, value in job.labels.items()]
    text = query.get("q", "").lower()
    kinds, recipe, name = query.getlist("kind"), query.get("recipe"), query.get("name")
    texts = [job.name or "", job.id, *labels]
    return (
        any(text in each.lower() for each in texts)
        and (not kinds or job.kind in kinds)
        and (recipe is None or job.recipe == recipe)
        and (name is None or job.name == name)
        and all(each in labels for each in query.getlist("label"))
        and all(_has_parameter(job, *pair) for pair in query.items() if "." in pair[0])
    )


def _has_parameter(job: Job, name: str, value: str) -> bool:
    params = job.model_dump(mode="json")["spec"].get("params", {})
    return str(params.get(name.removeprefix("param."))) == value


def _ordered(jobs: list[Job], order_by: str) -> list[Job]:
    name = order_by.removeprefix("-")
    if name == "created_at":
        return sorted(jobs, key=lambda job: job.id, reverse=order_by.startswith("-"))
    values = {job.id: _value(job, name) for job in jobs}
    there = [job for job in jobs if values[job.id] is not None]
    absent = [job for job in jobs if values[job.id] is None]
    falling = order_by.startswith("-")
    return sorted(there, key=lambda job: (values[job.id], job.id), reverse=falling) + absent


def _value(job: Job, name: str) -> float | None:
    if name.startswith("metrics."):
        value = job.metrics.get(name.removeprefix("metrics."))
        return value if isinstance(value, int | float) else None
    if name == "priority":
        return float(job.model_dump(mode="json")["spec"].get("priority", 0))
    if job.started_at is None or job.finished_at is None:
        return None
    return (job.finished_at - job.started_at).total_seconds()


def _place_after(ids: list[str], after: str | None) -> int:
    """Where the page goes on after a job that is not in the list any more."""
    return 0 if after is None else sum(each > after for each in ids)


def _shown(job: Job, query: QueryParams) -> dict[str, Any]:
    shown = json.loads(job.model_dump_json())
    fields = query.get("fields")
    return shown if fields is None else {name: shown[name] for name in fields.split(",")}


def after_action(body: dict[str, Any]) -> Callable[[Job], Job | str]:
    """What an action makes of a job: the job afterwards, or why it is refused."""
    states = {"pause": JobState.PAUSING, "resume": JobState.QUEUED, "cancel": JobState.CANCELLED}

    def act(job: Job) -> Job | str:
        ended = job.state in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
        if body["action"] in states and ended:
            return f"{job.id} has already ended: it is {job.state}"
        if body["action"] == "delete" and not ended:
            return f"{job.id} has not ended: cancel it first"
        if body["action"] == "label":
            return job.model_copy(update={"labels": job.labels | body["labels"]})
        return job.model_copy(update={"state": states.get(body["action"], job.state)})

    return act
