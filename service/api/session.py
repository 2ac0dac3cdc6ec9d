"""The login of the page: a token is sent once, then a cookie that no script can read."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from service.api.access import Access
from service.api.dependencies import Context
from service.api.refusals import refusals
from service.api.refused_acts import RefusedActs
from service.context import AppContext
from service.contract.sessions import Login, SessionView
from service.control.access import logins
from service.domain.access import Caller
from service.domain.errors import Conflict
from service.store.sessions import StoredSession

router = APIRouter(tags=["session"])
_log = structlog.get_logger()


async def _access(request: Request) -> Access:
    access = request.app.state.access
    assert isinstance(access, Access)
    return access


Accesses = Annotated[Access, Depends(_access)]


@router.get("/session", response_model=SessionView)
async def who_is_logged_in(request: Request, access: Accesses) -> Response:
    """Who sends the request, by its session or its token, and in which role."""
    caller: Caller | None = request.scope.get("caller")
    view = SessionView(needs_login=access.credentials.needs_token)
    if caller is not None:
        session: StoredSession | None = request.scope.get("session")
        expires_at = session.expires_at if session is not None else None
        who = {"user": caller.name, "role": caller.role, "expires_at": expires_at}
        view = view.model_copy(update=who)
    return _answer(view)


@router.post(
    "/session", status_code=201, response_model=SessionView, responses=refusals(403, 409, 429)
)
async def log_in(request: Request, login: Login, access: Accesses, context: Context) -> Response:
    """Begin a session with a token: a cookie that expires.

    Every change by the session needs the header `X-Requested-With`. A server without tokens has no
    sessions (409). After ten wrong tokens of one address within a minute the next is refused (429).
    """
    if not access.credentials.needs_token:
        detail = "this server has no token: whoever reaches it may use it without a login"
        raise Conflict("no_token", detail)
    caller = await access.login(request, login.token.get_secret_value())
    address = request.client.host if request.client else None
    if isinstance(caller, Response):
        _log.warning("login_refused", address=address, status=caller.status_code)
        refused: RefusedActs = request.app.state.refused_acts
        await refused.note_login(request.scope)
        return caller
    started = await run_in_threadpool(_begin, context, access, caller)
    view = SessionView(
        needs_login=True,
        user=caller.name,
        role=caller.role,
        expires_at=started.session.expires_at,
    )
    response = _answer(view, 201)
    access.cookies.put(response, started.secret, secure=_is_https(request))
    _log.info("logged_in", user=caller.name, address=address)
    return response


@router.delete("/session", status_code=204)
async def log_out(request: Request, access: Accesses, context: Context) -> Response:
    """End the session on all servers; without one nothing is to be done."""
    response = Response(status_code=204)
    session: StoredSession | None = request.scope.get("session")
    if session is not None:
        await run_in_threadpool(_end, context, session)
    if access.cookies.name in request.cookies:
        access.cookies.remove(response, secure=_is_https(request))
    return response


def _begin(context: AppContext, access: Access, caller: Caller) -> logins.StartedSession:
    now = context.now()
    with context.database.write() as tx:
        started = logins.begin(
            tx,
            caller,
            session_id=context.new_id("session"),
            secret=context.new_secret(),
            now=now,
            lifetime=access.cookies.lifetime,
        )
    context.credentials.refresh(now)
    return started


def _end(context: AppContext, session: StoredSession) -> None:
    with context.database.write() as tx:
        logins.end(tx, session.id)
    context.credentials.refresh(context.now())


def _answer(view: SessionView, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(view.model_dump_json(), status, headers, media_type="application/json")


def _is_https(request: Request) -> bool:
    """Whether the browser speaks TLS: a proxy that ends it need not say so, but the page does."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")
