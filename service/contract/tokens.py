"""The bearer token that a server and those who call it share."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr

_SENDABLE = re.compile(r"[!-~]+")


def check_token(token: str) -> str:
    """The token itself; raises ValueError, without the token, if no HTTP header can carry it."""
    if _SENDABLE.fullmatch(token) is None:
        raise ValueError(
            "the token has a blank, a line break or a letter that no HTTP header can carry: "
            "use letters and digits, as `openssl rand -hex 24` gives them"
        )
    return token


def _checked(token: SecretStr) -> SecretStr:
    check_token(token.get_secret_value())
    return token


BearerToken = Annotated[SecretStr, AfterValidator(_checked)]
"""A token that can be sent; an error does not show it."""
