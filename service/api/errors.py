"""Every refusal as `application/problem+json` (RFC 9457); never a stack trace."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import DataError, DBAPIError, TimeoutError
from starlette.exceptions import HTTPException

from service.api.prefix import route_path
from service.contract.errors import FieldProblem, Problem
from service.contract.nearest import field_names, unknown_name
from service.contract.sentences import location_of, message_of
from service.contract.text import PATH_LENGTH
from service.domain.errors import (
    Conflict,
    Forbidden,
    Gone,
    InvalidFields,
    NotFound,
    Stale,
    TooMany,
    TrainyardError,
    Unavailable,
    Unprocessable,
)
from service.store.outages import is_disk_full, is_outage
from service.volume.identity import WrongVolume

_log = structlog.get_logger()
_STATUS: dict[type[TrainyardError], int] = {
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Gone: 410,
    Stale: 412,
    Unprocessable: 422,
    TooMany: 429,
    Unavailable: 503,
}
_HEADERS = {429: {"Retry-After": "5"}, 503: {"Retry-After": "2"}}


def install(app: FastAPI) -> None:
    """Have the app answer every refusal as a problem document."""
    app.add_exception_handler(TrainyardError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(WrongVolume, _wrong_volume)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(TimeoutError, _database)


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as a response."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path[:PATH_LENGTH],
        code=code,
        request_id=request.scope.get("request_id"),
        errors=tuple(errors),
    )
    return Response(
        body.model_dump_json(exclude_none=True),
        status,
        headers=dict(headers or {}),
        media_type="application/problem+json",
    )


def internal_error(request: Request) -> Response:
    """500: an error of the server itself, which its log has with the request's id."""
    detail = "the server made a mistake; its log has the request id"
    return problem(request, 500, "internal", detail)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, TrainyardError)
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    errors: Sequence[FieldProblem] = ()
    if isinstance(error, InvalidFields):
        errors = error.errors
    elif isinstance(error, Unprocessable) and error.pointer:
        errors = [FieldProblem(pointer=error.pointer, detail=error.message)]
    headers = _HEADERS.get(status)
    return problem(request, status, error.code, error.message, errors=errors, headers=headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details = error.errors()
    sent = request.headers.get("content-type", "")
    if [e["loc"] for e in details] == [("body",)] and "json" not in sent:
        detail = "send the body as JSON, with the header 'Content-Type: application/json'"
        return problem(request, 422, "not_json", detail)
    if details[0]["type"] == "json_invalid":
        problem_at = f"{details[0]['ctx']['error']} at character {details[0]['loc'][-1]}"
        return problem(request, 422, "not_json", f"the body is not JSON: {problem_at}")
    errors = list(_fields(details, _body_model(request)))
    detail = "; ".join(f"{e.pointer.lstrip('/') or 'body'}: {e.detail}" for e in errors[:3])
    return problem(request, 422, "invalid", detail, errors=errors)


def _body_model(request: Request) -> Any:
    route = request.scope.get("route")
    field = route.body_field if isinstance(route, APIRoute) else None
    return field.field_info.annotation if field is not None else None


def _fields(errors: Sequence[Any], body: Any) -> Iterator[FieldProblem]:
    for error in errors:
        location = [part for part in location_of(error) if part != "body"]
        if location[:1] == ["query"]:
            # A query has no places in a list: a name may be there several times.
            location = [part for part in location if isinstance(part, str)]
        pointer = "".join(f"/{_escaped(part)}" for part in location)
        message = message_of(error)
        if error["type"] == "extra_forbidden":
            message = _unknown_field(str(location[-1]), field_names(body, location[:-1]))
        yield FieldProblem(pointer=pointer, detail=message)


def _unknown_field(name: str, known: Collection[str]) -> str:
    # The names are those of all kinds of job.
    if name in known:
        return "only another kind of job has this field; leave it out"
    return unknown_name("field", name, known)


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and error.__cause__ is not None:
        detail = f"the body cannot be read: {_why_unreadable(error.__cause__)}"
        return problem(request, 400, "not_json", detail)
    codes = {404: "no_such_path", 405: "method_not_allowed", 408: "too_slow", 413: "too_large"}
    code = codes.get(error.status_code, "refused")
    detail = f"{request.method} {request.url.path}: {error.detail}"
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(request.app.methods_of(route_path(request.scope)))
    return problem(request, error.status_code, code, detail, headers=headers)


def _why_unreadable(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 (at byte {error.start})"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, ValueError):
        return "a number in it has too many digits"
    return "the connection ended before it did"


async def _wrong_volume(request: Request, error: Exception) -> Response:
    _log.error("wrong_volume", path=request.url.path, error=str(error))
    return problem(request, 503, "wrong_volume", str(error), headers=_HEADERS[503])


async def _database(request: Request, error: Exception) -> Response:
    assert isinstance(error, DBAPIError | TimeoutError)
    if not is_outage(error):
        # A statement that the database refuses is a fault of this server.
        raise error
    _log.error("database_failed", path=request.url.path, error=str(error).split("\n")[0])
    if is_disk_full(error):
        detail = "the disk of the database is full; nothing was changed: make space on the server"
        return problem(request, 503, "database_full", detail, headers=_HEADERS[503])
    detail = "the database does not answer; nothing was changed, so try again"
    return problem(request, 503, "database_away", detail, headers=_HEADERS[503])


async def _unstorable(request: Request, _: Exception) -> Response:
    detail = "the request has a value that the database cannot hold, as the character U+0000"
    return problem(request, 422, "invalid", detail)
