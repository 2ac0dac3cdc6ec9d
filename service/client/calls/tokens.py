"""The calls for access tokens."""

from datetime import datetime

from service.client.calls.responses import collected, paginate, path_segment, requested
from service.client.flow import Flow, send
from service.contract.access import AccessToken, NewAccessToken, Role
from service.contract.sessions import SessionView


def session() -> Flow[SessionView]:
    """Whether the server has tokens, and whose this client's is; nobody's on one without tokens."""
    return requested(SessionView, "GET", "/session")


def tokens(*, ended: bool = False) -> Flow[list[AccessToken]]:
    """The valid tokens, or those that are not any more; all for an admin, else the own ones."""
    query = {"ended": "true"} if ended else {}
    return collected(paginate(AccessToken, "/tokens", query))


def create_token(
    name: str, role: Role | str, *, expires_at: datetime | None = None
) -> Flow[NewAccessToken]:
    """Make a token; its secret is in the answer, and nowhere else."""
    body = {"name": name, "role": str(role)}
    if expires_at is not None:
        body["expires_at"] = expires_at.astimezone().isoformat()
    # Not sent again: the first one has the name.
    return requested(NewAccessToken, "POST", "/tokens", body=body, repeats=False)


def revoke_token(token_id: str) -> Flow[None]:
    """Revoke a token, and end the sessions that it began."""
    yield from send("DELETE", f"/tokens/{path_segment(token_id)}")
