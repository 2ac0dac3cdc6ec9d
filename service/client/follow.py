"""The client's calls that follow a job: its log, and its state until it has ended."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import httpx
from pydantic import BaseModel, ConfigDict
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay

from service.client.errors import ApiError, StillRunning, TrainyardError
from service.client.http import Http, is_transient, retry_delay_seconds
from service.client.responses import parse_response, path_segment
from service.contract.jobs import ENDED_JOBS, Job

PATIENCE_SECONDS = 60.0
"""How long a server may be away, as for a restart, without ending what follows a job."""

_T = TypeVar("_T")


class LogPart(BaseModel):
    """A part of a job's log; `end` is true if there is no text after `cursor` yet."""

    model_config = ConfigDict(frozen=True)

    text: str
    cursor: str
    end: bool


class FollowCalls:
    """The methods of `Client` that read logs and wait for the end of a job."""

    _http: Http

    def logs(
        self, job_id: str, *, attempt: int | None = None, cursor: str | None = None
    ) -> LogPart:
        """The log of an attempt, by default the newest, after `cursor` or from its start."""
        query = {"attempt": attempt, "cursor": cursor}
        return parse_response(
            LogPart, self._http.request("GET", f"{_path(job_id)}/logs", query=query)
        )

    def follow_log(
        self, job_id: str, *, attempt: int | None = None, poll_seconds: float = 0.5
    ) -> Iterator[str]:
        """The text of an attempt's log as it is written, until the attempt has ended.

        Without `attempt` it begins with the newest attempt, goes on with each later one, and ends
        with the job. A server that is away for less than a minute is asked again.
        """
        number, cursor = attempt, None
        while True:
            answer = patiently(lambda: self._http.request_once("GET", _path(job_id)))
            job = parse_response(Job, answer)
            number = number or job.attempt or None
            # Known before the log is read, so that what is read then includes the last line.
            has_ended = job.state in ENDED_JOBS or (number is not None and job.attempt > number)
            if number is not None:
                while (part := self._log_part(job_id, number, cursor)) is not None:
                    cursor = part.cursor
                    yield part.text
                    if part.end or not part.text:
                        break
            if not has_ended:
                time.sleep(poll_seconds)
            elif number is None or attempt is not None or number >= job.attempt:
                return
            else:
                number, cursor = number + 1, None

    def wait(
        self,
        job_id: str,
        on_change: Callable[[Job], None] = lambda _: None,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 0.5,
    ) -> Job:
        """Poll a job until it has ended, and return it.

        `on_change` is called with the job when it is first read and after each change. A server
        that is away for less than a minute is asked again. Raises StillRunning after
        `timeout_seconds`.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        etag: str | None = None
        while True:
            response = self._changed_job(job_id, etag, deadline)
            if response is not None:
                etag = response.headers.get("etag", etag)
            if response is not None and response.status_code != httpx.codes.NOT_MODIFIED:
                job = parse_response(Job, response)
                on_change(job)
                if job.state in ENDED_JOBS:
                    return job
            left = poll_seconds if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise StillRunning(f"{job_id} has not ended within {timeout_seconds:g} s")
            time.sleep(min(poll_seconds, left))

    def _changed_job(
        self, job_id: str, etag: str | None, deadline: float | None
    ) -> httpx.Response | None:
        """The answer, of status 304 without a change; None if the deadline came before it."""
        headers = {"If-None-Match": etag} if etag else None
        left = PATIENCE_SECONDS if deadline is None else max(deadline - time.monotonic(), 0.0)
        try:
            return patiently(
                lambda: self._http.request_once("GET", _path(job_id), headers=headers), left
            )
        except TrainyardError as error:
            if not is_transient(error) or left >= PATIENCE_SECONDS:
                raise
            return None

    def _log_part(self, job_id: str, attempt: int, cursor: str | None) -> LogPart | None:
        """The part of the log after `cursor`; None if the attempt has no log."""
        query = {"attempt": attempt, "cursor": cursor}
        path = f"{_path(job_id)}/logs"
        try:
            response = patiently(lambda: self._http.request_once("GET", path, query=query))
        except ApiError as error:
            if error.code != "no_log":
                raise
            return None
        return parse_response(LogPart, response)


def patiently(call: Callable[[], _T], limit_seconds: float | None = None) -> _T:
    """The result of `call`, which is repeated while the server is away: the one rule of all calls
    that follow something.

    Raises what the last try raised, after PATIENCE_SECONDS or `limit_seconds` if that is less.
    """
    limit = min(PATIENCE_SECONDS if limit_seconds is None else limit_seconds, PATIENCE_SECONDS)

    def pause_seconds(state: RetryCallState) -> float:
        return min(retry_delay_seconds(state), max(limit - (state.seconds_since_start or 0.0), 0.0))

    retrying = Retrying(
        retry=retry_if_exception(is_transient),
        stop=stop_after_delay(limit),
        wait=pause_seconds,
        reraise=True,
    )
    return retrying(call)


def _path(job_id: str) -> str:
    return f"/jobs/{path_segment(job_id)}"
