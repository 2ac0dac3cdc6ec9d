"""The tables of access tokens and of the sessions that they began."""

from sqlalchemy import Column, Index, String, Table

from service.store.schema import Utc, id_column, metadata

access_tokens = Table(
    "access_tokens",
    metadata,
    id_column("id", primary_key=True),
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    # The secret itself is nowhere: it has 256 random bits, which no table of digests finds.
    Column("secret_sha256", String(64), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("created_by", String(64)),
    Column("expires_at", Utc),
    Column("last_used_at", Utc),
    Column("revoked_at", Utc),
    Index("ix_access_tokens_secret_sha256", "secret_sha256", unique=True),
    Index("ix_access_tokens_name", "name"),
)

sessions = Table(
    "sessions",
    metadata,
    id_column("id", primary_key=True),
    Column("secret_sha256", String(64), nullable=False),
    # The token that began it: one of the table above, or that of a server's settings.
    id_column("token_id"),
    Column("created_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Index("ix_sessions_secret_sha256", "secret_sha256", unique=True),
    Index("ix_sessions_expires_at", "expires_at"),
)
