"""Ids: a prefix that names the type, and a ULID, so that ids sort by their time of creation."""

import secrets
import time

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS, _LENGTH = 80, 26


def new_id(prefix: str) -> str:
    """`job_01J…`, from this machine's clock and randomness."""
    return f"{prefix}_{ulid(time.time_ns() // 1_000_000, secrets.randbits(_RANDOM_BITS))}"


def ulid(milliseconds: int, randomness: int) -> str:
    """The 26 characters that github.com/ulid/spec gives a time since 1970 and 80 random bits."""
    number = milliseconds << _RANDOM_BITS | randomness
    digits = (_CROCKFORD[number >> 5 * position & 31] for position in range(_LENGTH))
    return "".join(digits)[::-1]
