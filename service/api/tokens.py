"""The routes of access tokens."""

from fastapi import APIRouter, Request, Response

from service.api.dependencies import By, Context
from service.api.parameters import Flag, PathId
from service.api.refusals import refusals
from service.api.responses import UNCHANGED, Page, listed
from service.contract.access import AccessToken, NewAccessToken, TokenRequest
from service.control.access import tokens

router = APIRouter(prefix="/tokens", tags=["tokens"])


@router.get("", response_model=Page[AccessToken], responses=UNCHANGED)
def page(request: Request, context: Context, by: By, ended: Flag = False) -> Response:
    """The valid tokens without their secrets, newest first; with `ended` those that were valid.

    An admin sees all, everybody else the own ones.
    """
    with context.database.read() as tx:
        return listed(request, tokens.listed(tx, context.now(), by=by, ended=ended))


@router.post("", status_code=201, response_model=NewAccessToken, responses=refusals(409))
def create(body: TokenRequest, context: Context, by: By) -> Response:
    """Make a token. `secret` is what its owner sends; it is shown this once.

    Once there was a token, the server answers nobody without one.
    """
    now = context.now()
    secret = tokens.PREFIX + context.new_secret()
    with context.database.write() as tx:
        token = tokens.create(
            tx, body, token_id=context.new_id("tok"), secret=secret, now=now, by=by
        )
    context.credentials.refresh(now)
    headers = {"Cache-Control": "no-store"}
    return Response(token.model_dump_json(), 201, headers, media_type="application/json")


@router.delete("/{token_id}", status_code=204, responses=refusals(404))
def revoke(token_id: PathId, context: Context, by: By) -> None:
    """Revoke a token: this server refuses it at once, others of the database within seconds.

    The sessions that it began end, too. Only an admin revokes a token of somebody else.
    """
    now = context.now()
    with context.database.write() as tx:
        tokens.revoke(tx, token_id, now, by=by)
    context.credentials.refresh(now)
