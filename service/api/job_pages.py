"""Pages of jobs, which many callers may ask for at the same time: each is drawn once for them."""

import json
from dataclasses import dataclass
from typing import Annotated

from service.api.responses import Page, body_etag, list_json
from service.context import AppContext
from service.contract.fields import IdText
from service.contract.jobs import Job
from service.contract.text import CutTo
from service.control.jobs import pages
from service.control.jobs.pages import JobPage
from service.domain.access import Caller
from service.shared_reads import SharedReads
from service.store.job_pages import PageRequest

_CURSOR_LENGTH = 512
_MOST_STATES = 64


class PageOfJobs(Page[Job]):
    """A page of jobs, with the fields of each that were asked for.

    The first page has the number of jobs in the whole list: by state, whatever states the list is
    narrowed to, and in all.
    """

    next: Annotated[str, CutTo(_CURSOR_LENGTH)] | None = None
    counts: Annotated[dict[IdText, int], CutTo(_MOST_STATES)] | None = None
    total: int | None = None


@dataclass(frozen=True)
class DrawnPage:
    """The JSON of a page, and its ETag."""

    body: bytes
    etag: str


class JobPages(SharedReads[tuple[PageRequest, Caller], DrawnPage]):
    """Answers `GET /jobs` by what and who asks; the rows of a page are read in a thread."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(self._drawn)
        self._context = context

    def _drawn(self, key: tuple[PageRequest, Caller]) -> DrawnPage:
        request, reader = key
        with self._context.database.read() as tx:
            page = pages.page(tx, request, self._context.now(), reader)
        body = _body_of(page)
        return DrawnPage(body, body_etag(body))


def _body_of(page: JobPage) -> bytes:
    body = list_json(page.jobs, has_more=page.next is not None, last=page.next)
    if page.counts is None:
        return body
    counts = {"counts": dict(page.counts.by_state), "total": page.counts.total}
    end = json.dumps(counts, separators=(",", ":"), allow_nan=False)
    return b"".join((body[:-1], b",", end[1:].encode()))
