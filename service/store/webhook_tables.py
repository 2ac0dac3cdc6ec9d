"""The tables of webhooks, as the migrations leave them."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from service.store.schema import Number, Utc, id_column, metadata

webhooks = Table(
    "webhooks",
    metadata,
    id_column("id", primary_key=True),
    Column("url", Text, nullable=False),
    Column("name", String(200)),
    Column("format", String(16), nullable=False),
    Column("events", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("recipe", String(64)),
    # As it is: it has to sign.
    Column("secret", String(128), nullable=False),
    # Those before it that still sign, the newest first: each with the moment at which it ends.
    Column("earlier_secrets", JSON(none_as_null=True)),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", Text),
    Column("created_at", Utc, nullable=False),
)

# What happened, stored by the transaction in which it did; moved into deliveries by a loop.
webhook_outbox = Table(
    "webhook_outbox",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("type", String(32), nullable=False),
    Column("data", JSON, nullable=False),
    Column("created_at", Utc, nullable=False),
    sqlite_autoincrement=True,
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("webhook_id", String(64), ForeignKey("webhooks.id"), primary_key=True),
    Column("event_id", String(64), primary_key=True),
    Column("type", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("next_try_at", Utc),
    # While a server sends it: no other one does.
    Column("leased_until", Utc),
    Column("last_try_at", Utc),
    Column("status", Integer),
    Column("error", Text),
    Column("answer", Text),
    Index(
        "ix_webhook_deliveries_next_try_at",
        "next_try_at",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index("ix_webhook_deliveries_webhook_id_created_at", "webhook_id", "created_at"),
)
