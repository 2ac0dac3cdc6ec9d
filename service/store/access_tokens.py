"""Access tokens as rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from service.contract.access import AccessToken, Role
from service.contract.reading import log_once
from service.store.access_tables import access_tokens as tokens

_ROLES = frozenset(role.value for role in Role)
_LOCK_KEY = 0x7472_6169_746F_6B65


@dataclass(frozen=True)
class ValidToken:
    """A token that is not revoked, and the digest of its secret."""

    id: str
    name: str
    role: Role
    secret_sha256: str
    expires_at: datetime | None


def lock(tx: Connection) -> None:
    """Let no other transaction make tokens until this one ends."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(_LOCK_KEY)))


def add(tx: Connection, token: AccessToken, secret_sha256: str) -> None:
    """Store a new token."""
    row = token.model_dump(exclude={"object", "secret"})
    tx.execute(insert(tokens).values(**row, secret_sha256=secret_sha256))


def is_any(tx: Connection) -> bool:
    """Whether there is or was a token."""
    return tx.execute(select(tokens.c.id).limit(1)).first() is not None


def valid(tx: Connection) -> list[ValidToken]:
    """The tokens that are not revoked; some may have expired."""
    rows = tx.execute(select(tokens).where(tokens.c.revoked_at.is_(None))).mappings()
    return [token for row in rows if (token := _valid_token(row)) is not None]


def count_valid(tx: Connection, now: datetime) -> int:
    """How many tokens are neither revoked nor expired."""
    counted = select(func.count()).select_from(tokens).where(*_is_valid(now))
    return int(tx.execute(counted).scalar_one())


def valid_named(tx: Connection, name: str, now: datetime) -> AccessToken | None:
    """The token of this name that is neither revoked nor expired."""
    row = tx.execute(select(tokens).where(tokens.c.name == name, *_is_valid(now))).mappings()
    found = row.first()
    return _token_of(found) if found is not None else None


def get(tx: Connection, token_id: str) -> AccessToken | None:
    """One token, also a revoked one."""
    row = tx.execute(select(tokens).where(tokens.c.id == token_id)).mappings().first()
    return _token_of(row) if row is not None else None


def listed(tx: Connection, name: str | None, now: datetime, limit: int) -> list[AccessToken]:
    """The tokens that are neither revoked nor expired, newest first; those of a name, or all."""
    return _page(tx, name, limit, _is_valid(now))


def ended(tx: Connection, name: str | None, now: datetime, limit: int) -> list[AccessToken]:
    """The tokens that are revoked or have expired, newest first; those of a name, or all."""
    return _page(tx, name, limit, (or_(tokens.c.revoked_at.is_not(None), _has_expired(now)),))


def revoke(tx: Connection, token_id: str, now: datetime) -> None:
    """Note that a token is not valid any more."""
    unrevoked = update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
    tx.execute(unrevoked.values(revoked_at=now))


def note_use(tx: Connection, used_at: Mapping[str, datetime]) -> None:
    """Store by id when tokens were last used."""
    for token_id, moment in used_at.items():
        tx.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=moment))


def delete_revoked_before(tx: Connection, moment: datetime, limit: int) -> int:
    """Delete at most `limit` tokens that were revoked before `moment`, never the last; how many.

    As long as there was a token, a server is not open to everybody.
    """
    newest = select(tokens.c.id).order_by(tokens.c.id.desc()).limit(1).scalar_subquery()
    old = select(tokens.c.id).where(tokens.c.revoked_at < moment, tokens.c.id != newest)
    return tx.execute(delete(tokens).where(tokens.c.id.in_(old.limit(limit)))).rowcount


def _page(
    tx: Connection, name: str | None, limit: int, conditions: tuple[ColumnElement[bool], ...]
) -> list[AccessToken]:
    query = select(tokens).where(*conditions).order_by(tokens.c.id.desc()).limit(limit)
    if name is not None:
        query = query.where(tokens.c.name == name)
    return [_token_of(row) for row in tx.execute(query).mappings()]


def _is_valid(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return tokens.c.revoked_at.is_(None), ~_has_expired(now)


def _has_expired(now: datetime) -> ColumnElement[bool]:
    return func.coalesce(tokens.c.expires_at <= now, False)


def _valid_token(row: RowMapping) -> ValidToken | None:
    if row["role"] not in _ROLES:
        # A role of a newer version: this one does not know what it may do.
        log_once("unknown_role", f"{row['id']}: {row['role']}")
        return None
    return ValidToken(
        row["id"], row["name"], Role(row["role"]), row["secret_sha256"], row["expires_at"]
    )


def _token_of(row: RowMapping) -> AccessToken:
    return AccessToken(**{name: row[name] for name in AccessToken.model_fields if name in row})
