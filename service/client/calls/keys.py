"""Idempotency keys: with the same key, a request that is sent again makes nothing twice."""

from uuid import uuid4


def key_header(key: str | None) -> dict[str, str]:
    """The header with a key; with a new one where none is given."""
    return {"Idempotency-Key": key or uuid4().hex}
