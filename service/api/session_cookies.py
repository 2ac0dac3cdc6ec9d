"""Sessions of the page: a signed cookie that expires stands for the token, which no page keeps."""

import base64
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import Response

from service.api.foreign_pages import Headers

_MOST_ENDED = 10_000


@dataclass(frozen=True)
class Session:
    """Who has logged in, until when; `id` is of this login alone."""

    id: str
    user: str
    expires_at: datetime


class SessionCookies:
    """Writes and reads the cookies of one token: with another token none of them is valid.

    The name of the cookie follows from the token, too, since a browser sends the cookies of a host
    to all servers on its ports: two of them would replace each other's.
    """

    def __init__(self, token: bytes, lifetime: timedelta, root_path: str) -> None:
        self._key = hmac.digest(token, b"trainyard session", "sha256")
        self.name = f"trainyard-{hmac.digest(self._key, b'name', 'sha256').hex()[:8]}"
        self._lifetime, self._path = lifetime, root_path or "/"
        self._ended: dict[str, datetime] = {}

    def begin(self, session_id: str, user: str, now: datetime) -> Session:
        """A session from `now` on."""
        return Session(session_id, user, (now + self._lifetime).replace(microsecond=0))

    def end(self, session: Session, now: datetime) -> None:
        """Have this server accept it no more, should its cookie have been copied."""
        self._ended = {key: at for key, at in self._ended.items() if at > now}
        if len(self._ended) < _MOST_ENDED:
            self._ended[session.id] = session.expires_at

    def session_of(self, headers: Headers, now: datetime) -> Session | None:
        """The session whose cookie a request has, if it is signed, not expired and not ended."""
        value = self._value_in(headers)
        if value is None:
            return None
        text, _, signature = value.rpartition(".")
        if not hmac.compare_digest(signature.encode("latin-1"), self._signature(text)):
            return None
        session_id, expires, user = text.split(".", 2)
        expires_at = datetime.fromtimestamp(int(expires), UTC)
        if expires_at <= now or session_id in self._ended:
            return None
        return Session(session_id, user, expires_at)

    def put(self, response: Response, session: Session, now: datetime, *, secure: bool) -> None:
        """Have the browser keep the session's cookie; no script can read it."""
        text = f"{session.id}.{int(session.expires_at.timestamp())}.{session.user}"
        value = f"{text}.{self._signature(text).decode()}"
        self._set(response, value, int((session.expires_at - now).total_seconds()), secure)

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

    def _signature(self, text: str) -> bytes:
        digest = hmac.digest(self._key, text.encode("latin-1"), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=")

    def _value_in(self, headers: Headers) -> str | None:
        prefix = f"{self.name}="
        for pair in headers.get(b"cookie", b"").decode("latin-1").split(";"):
            if pair.strip().startswith(prefix):
                return pair.strip().removeprefix(prefix)
        return None
