"""The tables of access tokens, of the sessions that they began, and of the audit list."""

from sqlalchemy import Column, Index, String, Table, Text

from service.store.schema import Number, Utc, id_column, metadata

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

# It names jobs, tokens and others that may be gone since.
audit_entries = Table(
    "audit_entries",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("created_at", Utc, nullable=False),
    Column("actor", String(64)),
    Column("role", String(16)),
    Column("action", String(32), nullable=False),
    Column("subject", String(64)),
    Column("detail", Text),
    Column("request_id", String(64)),
    Column("address", String(64)),
    Index("ix_audit_entries_created_at_number", "created_at", "number"),
    Index("ix_audit_entries_actor_created_at_number", "actor", "created_at", "number"),
    Index("ix_audit_entries_action_created_at_number", "action", "created_at", "number"),
    Index("ix_audit_entries_subject_created_at_number", "subject", "created_at", "number"),
    # Who pages through the list is shown no entry twice.
    sqlite_autoincrement=True,
)
