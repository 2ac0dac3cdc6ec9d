"""Ids: a prefix that names the type, and a ULID, so that ids sort by their time of creation."""

import secrets
import time

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS, _LENGTH, _TIME_LENGTH = 80, 26, 10


def new_id(prefix: str) -> str:
    """`job_01J…`, from this machine's clock and randomness."""
    return f"{prefix}_{ulid(time.time_ns() // 1_000_000, secrets.randbits(_RANDOM_BITS))}"


def later_id(new: str, than: str) -> str:
    """A new id as it is, or with the time of a millisecond after another's, if that is later.

    What has to sort behind `than` does so whatever the clocks of two machines say.
    """
    if new > than:
        return new
    prefix, _, of_earlier = than.rpartition("_")
    time_of = of_earlier[:_TIME_LENGTH].ljust(_TIME_LENGTH, "0")
    number = sum(
        _CROCKFORD.index(digit) << 5 * position for position, digit in enumerate(time_of[::-1])
    )
    return f"{prefix}_{ulid(number + 1, 0)[:_TIME_LENGTH]}{new[-(_LENGTH - _TIME_LENGTH) :]}"


def ulid(milliseconds: int, randomness: int) -> str:
    """The 26 characters that github.com/ulid/spec gives a time since 1970 and 80 random bits."""
    number = milliseconds << _RANDOM_BITS | randomness
    digits = (_CROCKFORD[number >> 5 * position & 31] for position in range(_LENGTH))
    return "".join(digits)[::-1]
