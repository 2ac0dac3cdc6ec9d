"""The routes of operators."""

import os

from fastapi import APIRouter, Request, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from service import __version__
from service.api.dashboard import page_digest
from service.api.dependencies import Context, VolumeLookup
from service.api.errors import problem

router = APIRouter(tags=["ops"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", dependencies=[VolumeLookup])
def readyz(request: Request, context: Context) -> Response:
    """The database answers and can be written, and so can the volume; 503 otherwise."""
    try:
        with context.database.read() as tx:
            tx.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return _not_ready(request, "the database does not answer")
    if context.write_outage is not None:
        return _not_ready(request, f"the database cannot be written: {context.write_outage}")
    wrong = context.volume.problem()
    if wrong is not None:
        return _not_ready(request, wrong)
    if not os.access(context.settings.volume, os.W_OK | os.X_OK):
        return _not_ready(request, f"the volume {context.settings.volume} cannot be written")
    return Response('{"status":"ready"}', media_type="application/json")


@router.get("/version")
def which_version(context: Context) -> dict[str, str | None]:
    """The version of the server, the digest of its page's files, and its volume's identity."""
    return {"version": __version__, "page": page_digest(), "volume": context.volume_id}


def _not_ready(request: Request, detail: str) -> Response:
    return problem(request, 503, "not_ready", detail, headers={"Retry-After": "2"})
