"""Submissions of jobs, which are most writes of a busy server: answered before any route."""

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.parameters import KEY_LENGTH
from service.api.prefix import route_path
from service.api.request_records import ROUTE
from service.api.responses import job_made
from service.context import AppContext
from service.contract.request_origin import ORIGIN
from service.contract.submissions import Submission
from service.contract.traces import TRACEPARENT
from service.control.jobs.grouped_submissions import SubmissionRequest


class JobSubmissions:
    """Answers `POST /jobs` with a body and a key that are valid; the route refuses all others.

    It does what the route does, without what FastAPI does for any route, which costs as much as
    half of a submission. What the database and the catalogs refuse it raises, as the route does.
    """

    def __init__(self, routes: ASGIApp, context: AppContext) -> None:
        self._routes, self._context = routes, context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if not _is_submission(scope):
            await self._routes(scope, receive, send)
            return
        messages = await _body_messages(receive)
        request = self._request(scope, messages)
        if request is None:
            await self._routes(scope, _replayed(messages, receive), send)
            return
        scope[ROUTE] = "/jobs"
        submitted = await self._context.submissions.reply(request)
        answer = job_made(submitted.job, replayed=submitted.replayed)
        await answer(scope, receive, send)

    def _request(self, scope: Scope, messages: list[Message]) -> SubmissionRequest | None:
        """What is asked for; None for what the route refuses."""
        keys = [value for name, value in scope["headers"] if name == b"idempotency-key"]
        has_gone = messages[-1]["type"] == "http.disconnect"
        if has_gone or (keys and not 0 < len(keys[0]) <= KEY_LENGTH):
            return None
        key = keys[0].decode("latin-1") if keys else None
        body = b"".join(message.get("body", b"") for message in messages)
        try:
            spec = Submission.model_validate(json.loads(body)).root
        except (ValueError, RecursionError):
            return None
        request_id: str = scope["request_id"]
        return SubmissionRequest(
            spec,
            key,
            self._context.new_id("job"),
            self._context.now(),
            request_id,
            TRACEPARENT.get(),
            scope["caller"],
            ORIGIN.get(),
        )


def _is_submission(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "POST"
        and not scope["query_string"]
        and route_path(scope) == "/jobs"
    )


async def _body_messages(receive: Receive) -> list[Message]:
    """The messages of a body, the last of which may be that the client has gone."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    left = iter(messages)

    async def receive_again() -> Message:
        message = next(left, None)
        return message if message is not None else await receive()

    return receive_again
