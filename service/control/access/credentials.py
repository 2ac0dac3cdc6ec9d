"""What a server knows of tokens and sessions: in memory, so that no request reads them."""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.contract.access import Role
from service.domain.access import ADMIN_NAME, WORKER_NAME, Caller
from service.store import access_tokens, sessions
from service.store.access_tokens import ValidToken
from service.store.engine import Database
from service.store.sessions import StoredSession

_USE_IS_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class _Snapshot:
    """What the database had when it was last read."""

    is_any: bool = False
    by_secret: Mapping[str, ValidToken] = field(default_factory=dict)
    by_id: Mapping[str, ValidToken] = field(default_factory=dict)
    sessions: Mapping[str, StoredSession] = field(default_factory=dict)


class Credentials:
    """Finds who has a secret, by the database as it was read last, and by the settings.

    `refresh` reads it: at the start, after each change by this server, every few seconds, and for a
    secret that is not known, which another server may have given a moment ago.
    """

    def __init__(
        self,
        database: Database,
        settings_token: bytes | None = None,
        worker_token: bytes | None = None,
        *,
        salt: str = "",
    ) -> None:
        self._database = database
        self._worker_digest = _digest(worker_token) if worker_token is not None else None
        self._settings_digest = _digest(settings_token) if settings_token is not None else None
        self._settings_id = _id_of(settings_token, salt) if settings_token is not None else None
        self._snapshot = _Snapshot()
        self.is_loaded = False
        self._used: dict[str, datetime] = {}
        self._use_noted: dict[str, datetime] = {}
        self._lock = threading.Lock()

    @property
    def needs_token(self) -> bool:
        """Whether the settings have a token, or the database has or had one."""
        return self._settings_digest is not None or self._snapshot.is_any

    def refresh(self, now: datetime) -> None:
        """Read the database; raises what the database raises, and then keeps what it had."""
        with self._lock:
            with self._database.read() as tx:
                is_any = access_tokens.is_any(tx)
                valid = access_tokens.valid(tx)
                alive = sessions.alive(tx, now)
            self._snapshot = _Snapshot(
                is_any,
                {each.secret_sha256: each for each in valid},
                {each.id: each for each in valid},
                {each.secret_sha256: each for each in alive},
            )
            self.is_loaded = True

    def caller_with(self, secret: bytes, now: datetime) -> Caller | None:
        """Who has a token, if it is valid; None also for one that is not known yet."""
        digest = _digest(secret)
        if digest == self._settings_digest:
            return self._settings_caller
        if digest == self._worker_digest:
            return Caller(WORKER_NAME, Role.WORKER)
        token = self._snapshot.by_secret.get(digest)
        return self._caller(token, now) if token is not None else None

    def session_with(self, secret: bytes, now: datetime) -> tuple[StoredSession, Caller] | None:
        """The session of a cookie's secret and who began it, if both are valid."""
        session = self._snapshot.sessions.get(_digest(secret))
        if session is None or session.expires_at <= now:
            return None
        caller = self._caller_with_id(session.token_id, now)
        return (session, caller) if caller is not None else None

    def flush_use(self, now: datetime) -> None:
        """Store when tokens were last used, of each at most once a minute."""
        due = {
            token_id: moment
            for token_id, moment in dict(self._used).items()
            if moment - self._use_noted.get(token_id, moment - _USE_IS_NOTED_EVERY)
            >= _USE_IS_NOTED_EVERY
        }
        if due:
            with self._database.write() as tx:
                access_tokens.note_use(tx, due)
            self._use_noted |= due
        self._used = {key: at for key, at in self._used.items() if key not in due}
        self._use_noted = {
            key: at for key, at in self._use_noted.items() if at > now - 2 * _USE_IS_NOTED_EVERY
        }

    @property
    def _settings_caller(self) -> Caller:
        return Caller(ADMIN_NAME, Role.ADMIN, self._settings_id, is_worker_too=True)

    def _caller_with_id(self, token_id: str, now: datetime) -> Caller | None:
        if token_id == self._settings_id:
            return self._settings_caller
        token = self._snapshot.by_id.get(token_id)
        return self._caller(token, now) if token is not None else None

    def _caller(self, token: ValidToken, now: datetime) -> Caller | None:
        if token.expires_at is not None and token.expires_at <= now:
            return None
        self._used[token.id] = now
        return Caller(token.name, token.role, token.id)


def digest_of(secret: str) -> str:
    """The digest by which a secret is kept: it has 256 random bits, so that it needs no salt."""
    return _digest(secret.encode("utf-8", "replace"))


def _digest(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()


def _id_of(settings_token: bytes, salt: str) -> str:
    # It is stored with sessions, and people choose such tokens: slow, so that none is guessed.
    key = hashlib.scrypt(settings_token, salt=salt.encode(), n=2**14, r=8, p=1, dklen=16)
    return f"settings_{key.hex()}"
