"""Sessions of the page: a cookie that expires stands for the token, which no page keeps."""

import hashlib
from datetime import timedelta

from fastapi import Response

from service.api.foreign_pages import Headers


class SessionCookies:
    """Writes and reads the cookies of sessions, each of which is a secret of its own.

    The name of the cookie follows from the volume, since a browser sends the cookies of a host to
    all servers on its ports: two installations would replace each other's.
    """

    def __init__(self, volume_id: str, lifetime: timedelta, root_path: str) -> None:
        self.name = f"trainyard-{hashlib.sha256(volume_id.encode()).hexdigest()[:8]}"
        self.lifetime, self._path = lifetime, root_path or "/"

    def secret_in(self, headers: Headers) -> bytes | None:
        """The secret in the cookie of a request, if it has one."""
        prefix = f"{self.name}=".encode()
        for pair in headers.get(b"cookie", b"").split(b";"):
            if pair.strip().startswith(prefix):
                return pair.strip().removeprefix(prefix) or None
        return None

    def put(self, response: Response, secret: str, *, secure: bool) -> None:
        """Have the browser keep the session's cookie; no script can read it."""
        self._set(response, secret, int(self.lifetime.total_seconds()), secure)

    def remove(self, response: Response, *, secure: bool) -> None:
        """Have the browser forget it."""
        self._set(response, "", 0, secure)

    def _set(self, response: Response, value: str, seconds: int, secure: bool) -> None:
        response.set_cookie(
            self.name,
            value,
            max_age=seconds,
            path=self._path,
            secure=secure,
            httponly=True,
            samesite="strict",
        )
