"""Ids as people type them: whole, by a unique beginning, by a name, or `@last` for the newest."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from service.cli.exit_codes import BadInput, UnknownReference
from service.client import Client, ServerUnavailable
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import Job
from service.contract.sweeps import Sweep
from service.contract.webhooks import Webhook
from service.contract.workers import Worker

LAST = "@last"
_WHOLE = re.compile(r"(?:job|ckpt|wrk|whk|swp)_[0-9A-HJKMNP-TV-Z]{26}")
_BEGINNING = re.compile(r"(?:job|ckpt|wrk|whk|swp)_")
_MOST_SHOWN = 8
_MOST_READ = 2000
"""Of the newest jobs, checkpoints or sweeps, those among which a beginning is looked for."""


@dataclass(frozen=True)
class _Candidate:
    id: str
    names: tuple[str, ...]
    text: str
    """What tells it from others."""


def job_id_of(client: Client, reference: str) -> str:
    """The id of the job that `reference` means.

    Raises BadInput if it means several, and UnknownReference if it means none. What looks like an
    id and is none of those is returned as it is, and the server refuses it.
    """
    if _is_literal(reference):
        return reference
    if reference == LAST:
        return _newest("job", (job.id for job in client.recent_jobs()[0] or ()))
    try:
        jobs = list(islice(client.jobs(q=reference), _MOST_READ))
    except ServerUnavailable:
        if not _BEGINNING.match(reference):
            raise
        # What follows a job waits for a server that is away; it is told the id as it is.
        return reference
    return _one("job", reference, map(_job_candidate, jobs))


def job_ids_of(client: Client, references: Sequence[str]) -> list[str]:
    """The ids of several jobs, in their order, each once."""
    return list(dict.fromkeys(job_id_of(client, reference) for reference in references))


def checkpoint_id_of(client: Client, reference: str) -> str:
    """The id of the checkpoint that `reference` means: also by a tag that only one has."""
    if _is_literal(reference):
        return reference
    if reference == LAST:
        return client.latest_checkpoint().id
    tagged = islice(client.checkpoints(tag=reference, manifest=False), _MOST_SHOWN + 1)
    candidates = [_checkpoint_candidate(each) for each in tagged if reference in each.tags]
    if candidates:
        return _one("checkpoint", reference, candidates)
    newest = islice(client.checkpoints(manifest=False), _MOST_READ)
    return _one("checkpoint", reference, map(_checkpoint_candidate, newest))


def worker_id_of(client: Client, reference: str) -> str:
    """The id of the worker that `reference` means: also by its host, if one worker is there."""
    if _is_literal(reference):
        return reference
    workers = client.workers()
    if reference == LAST:
        newest = sorted(workers, key=lambda worker: worker.registered_at, reverse=True)
        return _newest("worker", (worker.id for worker in newest))
    return _one("worker", reference, map(_worker_candidate, workers))


def webhook_id_of(client: Client, reference: str) -> str:
    """The id of the webhook that `reference` means: also by its name."""
    if _is_literal(reference):
        return reference
    webhooks = client.webhooks()
    if reference == LAST:
        return _newest("webhook", (webhook.id for webhook in reversed(webhooks)))
    return _one("webhook", reference, map(_webhook_candidate, webhooks))


def sweep_id_of(client: Client, reference: str) -> str:
    """The id of the sweep that `reference` means: also by its name."""
    if _is_literal(reference):
        return reference
    if reference == LAST:
        return _newest("sweep", (sweep.id for sweep in client.sweeps()))
    newest = islice(client.sweeps(), _MOST_READ)
    return _one("sweep", reference, map(_sweep_candidate, newest))


def _is_literal(reference: str) -> bool:
    # What no path of the API can hold is refused there, with its own sentence.
    return bool(_WHOLE.fullmatch(reference)) or reference in ("", ".", "..")


def _newest(noun: str, ids: Iterable[str]) -> str:
    newest = next(iter(ids), None)
    if newest is None:
        raise UnknownReference(f"{LAST} means the newest {noun}, and there is none")
    return newest


def _one(noun: str, reference: str, candidates: Iterable[_Candidate]) -> str:
    """The id of the one candidate that has the id, the name, or an id with this beginning."""
    known = list(candidates)
    for matches in (
        [each for each in known if each.id == reference],
        [each for each in known if reference in each.names],
        [each for each in known if _begins(each.id, reference)],
    ):
        if len(matches) == 1:
            return matches[0].id
        if matches:
            raise _ambiguous(noun, reference, matches)
    if _BEGINNING.match(reference):
        return reference
    what = {"checkpoint": "tag", "worker": "host"}.get(noun, "name")
    raise UnknownReference(
        f"there is no {noun} {reference!r}: name one by its id, the beginning of its id, "
        f"its {what}, or {LAST}"
    )


def _begins(whole: str, reference: str) -> bool:
    beginning = reference.lower()
    return whole.lower().startswith(beginning) or (
        # The letters after the prefix of the type, such as job_.
        whole.lower().partition("_")[2].startswith(beginning)
    )


def _ambiguous(noun: str, reference: str, matches: list[_Candidate]) -> BadInput:
    lines = [f"{each.id}  {each.text}".rstrip() for each in matches[:_MOST_SHOWN]]
    if len(matches) > _MOST_SHOWN:
        lines.append("and more")
    heading = f"{reference!r} means more than one {noun}; name one by more of its id:"
    return BadInput("\n".join((heading, *lines)))


def _job_candidate(job: Job) -> _Candidate:
    names = (job.name,) if job.name else ()
    return _Candidate(job.id, names, "  ".join((job.state.value, *names)))


def _checkpoint_candidate(checkpoint: Checkpoint) -> _Candidate:
    tags = " ".join(checkpoint.tags)
    text = f"step {checkpoint.step} of {checkpoint.job_id}  {tags}"
    return _Candidate(checkpoint.id, checkpoint.tags, text)


def _worker_candidate(worker: Worker) -> _Candidate:
    return _Candidate(worker.id, (worker.host,), f"{worker.state.value}  {worker.host}")


def _webhook_candidate(webhook: Webhook) -> _Candidate:
    return _Candidate(webhook.id, (webhook.name,) if webhook.name else (), webhook.url)


def _sweep_candidate(sweep: Sweep) -> _Candidate:
    names = (sweep.name,) if sweep.name else ()
    return _Candidate(sweep.id, names, "  ".join((sweep.state.value, *names)))
