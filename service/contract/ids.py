"""Ids: a prefix that tells the kind, and a ULID, so that they sort by creation."""

from ulid import ULID


def new_id(prefix: str) -> str:
    """`job_01J…`, from this machine's clock and randomness."""
    return f"{prefix}_{ULID()}"
