"""Where a client has the server's address and the token from."""

import os

LOCAL_SERVER = "http://127.0.0.1:8000"


def server_and_token(server: str | None, token: str | None) -> tuple[str, str | None]:
    """What is given, else what the environment names; else this machine's server."""
    return (
        server or os.environ.get("TRAINYARD_SERVER") or LOCAL_SERVER,
        token or os.environ.get("TRAINYARD_TOKEN") or None,
    )
