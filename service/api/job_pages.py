"""Pages of jobs, which many callers may ask for at the same time: each is drawn once for them."""

from dataclasses import dataclass

from service.api.responses import body_etag, list_json
from service.context import AppContext
from service.control.jobs import views
from service.shared_reads import SharedReads
from service.store.jobs import JobFilter


@dataclass(frozen=True)
class DrawnPage:
    """The JSON of a page, and its ETag."""

    body: bytes
    etag: str


class JobPages(SharedReads[JobFilter, DrawnPage]):
    """Answers `GET /jobs`; the rows of a page are read in a thread."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(self._drawn)
        self._database = context.database

    def _drawn(self, filters: JobFilter) -> DrawnPage:
        with self._database.read() as tx:
            page, has_more = views.page(tx, filters)
        last = page[-1].job.id if page and has_more else None
        body = list_json((each.json for each in page), has_more=has_more, last=last)
        return DrawnPage(body, body_etag(body))
