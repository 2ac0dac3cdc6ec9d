"""The login of the page: a token is sent once, then a cookie that no script can read."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request, Response

from service.api.access import OWNER, Access, Caller
from service.api.dependencies import Context
from service.api.refusals import refusals
from service.contract.sessions import Login, SessionView
from service.domain.errors import Conflict

router = APIRouter(tags=["session"])
_log = structlog.get_logger()


async def _access(request: Request) -> Access:
    access = request.app.state.access
    assert isinstance(access, Access)
    return access


Accesses = Annotated[Access, Depends(_access)]


@router.get("/session", response_model=SessionView)
async def who_is_logged_in(request: Request, access: Accesses) -> Response:
    """Who sends the request, by its session or its token."""
    caller: Caller | None = request.scope.get("caller")
    view = SessionView(needs_login=access.cookies is not None)
    if caller is not None:
        expires_at = caller.session.expires_at if caller.session is not None else None
        view = view.model_copy(update={"user": caller.user, "expires_at": expires_at})
    return _answer(view)


@router.post("/session", status_code=201, response_model=SessionView, responses=refusals(409, 429))
async def log_in(request: Request, login: Login, access: Accesses, context: Context) -> Response:
    """Begin a session with the token of the server: a cookie that expires.

    Every change by the session needs the header `X-Requested-With`. A server without a token has no
    sessions (409). After ten wrong tokens of one address within a minute the next is refused (429).
    """
    cookies = access.cookies
    if cookies is None:
        detail = "this server has no token: whoever reaches it may use it without a login"
        raise Conflict("no_token", detail)
    refused = access.login_refusal(request, login.token.get_secret_value())
    address = request.client.host if request.client else None
    if refused is not None:
        _log.warning("login_refused", address=address, status=refused.status_code)
        return refused
    now = context.now()
    session = cookies.begin(context.new_id("session"), OWNER, now)
    view = SessionView(needs_login=True, user=session.user, expires_at=session.expires_at)
    response = _answer(view, 201)
    cookies.put(response, session, now, secure=_is_https(request))
    _log.info("logged_in", user=session.user, address=address)
    return response


@router.delete("/session", status_code=204)
async def log_out(request: Request, access: Accesses, context: Context) -> Response:
    """End the session; without one nothing is to be done."""
    response = Response(status_code=204)
    # The cookie's name follows from the token: a stranger, who could test guesses by it, gets none.
    if access.cookies is not None and access.cookies.name in request.cookies:
        caller: Caller | None = request.scope.get("caller")
        if caller is not None and caller.session is not None:
            access.cookies.end(caller.session, context.now())
        access.cookies.remove(response, secure=_is_https(request))
    return response


def _answer(view: SessionView, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(view.model_dump_json(), status, headers, media_type="application/json")


def _is_https(request: Request) -> bool:
    """Whether the browser speaks TLS: a proxy that ends it need not say so, but the page does."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")
