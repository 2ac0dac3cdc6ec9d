"""The agent's verbs over HTTP, with one retry policy."""

import re
import threading
from typing import TypeVar

import httpx
import structlog
from pydantic import BaseModel, SecretStr, ValidationError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_random_exponential,
)

from service.contract.agent import BeatReply, Claim, ClaimRequest, Heartbeat, HeartbeatReply, Report
from service.contract.catalog import Catalog
from service.contract.http_client import http_client
from service.contract.jobs import Reason
from service.contract.reading import read_json
from service.contract.registration import (
    Gone,
    Registration,
    RegistrationReply,
    ServerVolume,
    WorkerVolume,
)
from service.contract.sentences import sentence_of
from workers.agent.control_plane_errors import LONGEST_PAUSE_SECONDS, Refused, Unreachable, error_of

Reply = TypeVar("Reply", bound=BaseModel)
_REPLY_SECONDS = 10.0
_GPU_PROBLEM = re.compile(r"/gpus/\d+/problem$")
_backoff = wait_random_exponential(multiplier=0.25, max=LONGEST_PAUSE_SECONDS)
_log = structlog.get_logger()


class ControlPlane:
    """The server at `url`; calls are tried again until answered, or until `stop_retries` is set.

    Raises BadConnection for an address, a token or a proxy that cannot be used.
    """

    def __init__(self, url: str, token: SecretStr | None, stop_retries: threading.Event) -> None:
        self._http = http_client(
            url,
            token.get_secret_value() if token else None,
            timeout=httpx.Timeout(_REPLY_SECONDS),
            headers={"Content-Type": "application/json"},
        )
        self._retrying = Retrying(
            retry=retry_if_exception_type(Unreachable),
            wait=_pause_seconds,
            sleep=sleep_using_event(stop_retries),
            stop=stop_when_event_set(stop_retries),
            before_sleep=_log_retry,
            reraise=True,
        )

    def register(self, worker_id: str, registration: Registration) -> RegistrationReply:
        """Register this worker; the reply has its predecessors.

        An older control plane, which knows no GPU with a problem, is told of the others.
        """
        path = f"/agent/workers/{worker_id}"
        try:
            response = self._retrying(self._send, "PUT", path, registration)
        except Refused as error:
            if not any(_GPU_PROBLEM.match(problem.pointer) for problem in error.problems):
                raise
            usable = tuple(gpu for gpu in registration.gpus if gpu.problem is None)
            older = registration.model_copy(update={"gpus": usable})
            response = self._retrying(self._send, "PUT", path, older)
        return _parsed(response, RegistrationReply)

    def put_catalog(self, worker_id: str, catalog: Catalog) -> None:
        """Send the catalog of this worker; raises NoSuchRoute for an older control plane."""
        self._retrying(self._send, "PUT", f"/agent/workers/{worker_id}/catalog", catalog)

    def put_volume(self, worker_id: str, volume: WorkerVolume) -> ServerVolume:
        """Send the volume of this worker; raises NoSuchRoute for an older control plane."""
        path = f"/agent/workers/{worker_id}/volume"
        return _parsed(self._retrying(self._send, "PUT", path, volume), ServerVolume)

    def claim(self, request: ClaimRequest) -> Claim | None:
        """Wait for an attempt; every try carries the same `request_id`.

        A claim that this version cannot read is given back: another worker may be newer.
        """
        wait = request.wait_seconds + _REPLY_SECONDS
        response = self._retrying(self._send, "POST", "/agent/claims", request, wait)
        if response.status_code == 204:
            return None
        try:
            return read_json(Claim, response.content)
        except ValidationError as error:
            self._give_back(_parsed(response, _ClaimedAttempt), sentence_of(error))
            return None

    def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatReply:
        """Beat once; the next beat is the next try. An older control plane gets no `sample`."""
        try:
            response = self._send("POST", "/agent/heartbeats", heartbeat)
        except Refused as error:
            if all(problem.pointer != "/sample" for problem in error.problems):
                raise
            older = heartbeat.model_copy(update={"sample": None})
            response = self._send("POST", "/agent/heartbeats", older)
        return _parsed(response, HeartbeatReply)

    def report(self, report: Report) -> BeatReply:
        """Deliver an attempt's end; an older control plane gets no `time_spent`."""
        try:
            response = self._retrying(self._send, "POST", "/agent/reports", report)
        except Refused as error:
            if all(problem.pointer != "/time_spent" for problem in error.problems):
                raise
            older = report.model_copy(update={"time_spent": None})
            response = self._retrying(self._send, "POST", "/agent/reports", older)
        return _parsed(response, BeatReply)

    def report_gone(self, worker_id: str, gone: Gone) -> None:
        """Report once a worker whose processes have all ended; else its leases run out."""
        self._send("POST", f"/agent/workers/{worker_id}/gone", gone)

    def _give_back(self, attempt: "_ClaimedAttempt", problem: str) -> None:
        _log.error("claim_unreadable", job_id=attempt.job_id, problem=problem)
        report = Report(
            job_id=attempt.job_id,
            attempt=attempt.attempt,
            token=attempt.token,
            outcome="failed",
            reason=Reason.WORKER_UNFIT,
            message=f"this worker's version cannot read the job: {problem}",
        )
        self.report(report)

    def _send(
        self, method: str, path: str, body: BaseModel, reply_seconds: float = _REPLY_SECONDS
    ) -> httpx.Response:
        timeout = httpx.Timeout(_REPLY_SECONDS, read=reply_seconds)
        try:
            response = self._http.request(
                method, path, content=body.model_dump_json(), timeout=timeout
            )
        except httpx.TransportError as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        if response.is_success:
            return response
        raise error_of(response)


class _ClaimedAttempt(BaseModel):
    """What of a claim every version has."""

    job_id: str
    attempt: int
    token: str


def _parsed(response: httpx.Response, kind: type[Reply]) -> Reply:
    try:
        return read_json(kind, response.content)
    except ValidationError as error:
        raise Refused(f"{response.url} gave no {kind.__name__}: {sentence_of(error)}") from error


def _pause_seconds(state: RetryCallState) -> float:
    """The pause before the next try, in which the server's own wish is kept."""
    error = state.outcome.exception() if state.outcome is not None else None
    wished = error.retry_after_seconds if isinstance(error, Unreachable) else 0.0
    return max(_backoff(state), wished)


def _log_retry(state: RetryCallState) -> None:
    assert state.outcome is not None
    error = state.outcome.exception()
    _log.warning("control_plane_unreachable", tries=state.attempt_number, error=str(error))
