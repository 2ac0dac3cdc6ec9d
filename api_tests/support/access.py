"""Access tokens of a test's server."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count

import httpx

from service.context import AppContext
from service.contract.access import NewAccessToken, Role, TokenRequest
from service.control.access import tokens

_numbers: Iterator[int] = count(1)


def make_token(context: AppContext, name: str, role: Role, **fields: object) -> NewAccessToken:
    """A token that the server of the context knows at once."""
    number = next(_numbers)
    request = TokenRequest.model_validate({"name": name, "role": role, **fields})
    with context.database.write() as tx:
        token = tokens.create(
            tx,
            request,
            token_id=f"tok_{number:03}",
            secret=f"ty_{name}_{number}",
            now=context.now(),
        )
    context.credentials.refresh(context.now())
    return token


PEOPLE = {"ann": Role.ADMIN, "bob": Role.USER, "eve": Role.USER, "vic": Role.VIEWER}


@contextmanager
def clients_of_people(context: AppContext, url: str) -> Iterator[dict[str, httpx.Client]]:
    """By name of PEOPLE a client with a token of its own, of the server with that URL."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                httpx.Client(base_url=url, headers=bearer(make_token(context, name, role).secret))
            )
            for name, role in PEOPLE.items()
        }


def bearer(secret: str) -> dict[str, str]:
    """The header of a request with a token."""
    return {"Authorization": f"Bearer {secret}"}
