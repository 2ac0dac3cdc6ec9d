"""Polls of running jobs, which are most requests of a busy server: answered before any route."""

import re
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.types import Scope, Send

from service.api.prefix import route_path
from service.api.request_records import ROUTE
from service.api.responses import for_reader, names_etag, running_job_etag
from service.api.running_jobs import body_of
from service.context import AppContext
from service.control.jobs import views
from service.domain.access import Caller
from service.store.job_reading import polled_job
from service.store.polled_rows import CannotPoll

_PATH = re.compile(r"/jobs/([A-Za-z0-9_.-]{1,64})")
_SHORT = b"short=true"
_MOST_KEPT = 256
_JSON = (b"content-type", b"application/json")
_NO_CACHE = (b"cache-control", b"no-cache")

_Answer = tuple[str, bytes | None]
"""An ETag, and the body unless the caller has it already."""


class JobPolls:
    """Answers `GET /jobs/{job_id}`, also short, of jobs whose view follows from their row alone.

    An unchanged job costs the reading of its version; a changed one is drawn once, however many
    poll it. On SQLite the rows are read on the event loop, which costs less than to go to a thread
    and back; on PostgreSQL in a thread.
    """

    def __init__(self, context: AppContext) -> None:
        self._database = context.database
        self._bodies: dict[tuple[str, bool, Caller], tuple[int, bytes]] = {}

    async def answer(self, scope: Scope, headers: Mapping[bytes, bytes], send: Send) -> bool:
        """Whether it was answered; any other request is a route's, and so are all refusals."""
        if scope["method"] != "GET" or scope["query_string"] not in (b"", _SHORT):
            return False
        path = _PATH.fullmatch(route_path(scope))
        if path is None:
            return False
        if_none_match = headers.get(b"if-none-match", b"").decode("latin-1")
        key = path[1], scope["query_string"] == _SHORT, scope["caller"].reader
        if self._database.is_sqlite:
            answer = self._read(key, if_none_match)
        else:
            answer = await run_in_threadpool(self._read, key, if_none_match)
        if answer is None:
            return False
        scope[ROUTE] = "/jobs/{job_id}"
        await _send(send, *answer)
        return True

    def _read(self, key: tuple[str, bool, Caller], if_none_match: str) -> _Answer | None:
        job_id, is_short, reader = key
        try:
            with self._database.poll() as rows:
                version = views.version_of_row(rows, job_id)
                if version is None:
                    return None
                etag = for_reader(running_job_etag(version), reader)
                if names_etag(if_none_match, etag):
                    return etag, None
                drawn = self._bodies.get(key)
                if drawn is not None and drawn[0] == version:
                    return etag, drawn[1]
                job = polled_job(rows, job_id, is_short=is_short)
        except CannotPoll:
            # The route waits for the database, or says what is wrong with it.
            return None
        body = body_of(job, reader) if job is not None else None
        if job is None or body is None:
            return None
        if len(self._bodies) >= _MOST_KEPT:
            self._bodies.clear()
        self._bodies[key] = job.version, body
        return for_reader(running_job_etag(job.version), reader), body


async def _send(send: Send, etag: str, body: bytes | None) -> None:
    headers = [(b"etag", etag.encode()), _NO_CACHE]
    if body is not None:
        headers += [(b"content-length", b"%d" % len(body)), _JSON]
    status = 304 if body is None else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body or b""})
