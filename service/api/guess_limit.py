"""A limit to how many tokens an address may try: guessing a token takes longer than it is worth."""

import hashlib
import secrets
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

MOST_GUESSES = 10
"""Different wrong tokens of one address within the window."""
WINDOW = timedelta(minutes=1)
_MOST_ADDRESSES = 4096


class GuessLimit:
    """Counts the different wrong tokens of each address; one that is sent again is no new guess.

    An address that has sent the right token is trusted: its workers go on, whoever else guesses
    from there, as behind a proxy that does not say who asks.
    """

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(16)
        self._guesses: dict[str, dict[bytes, datetime]] = {}
        self._trusted: set[str] = set()

    def trust(self, address: str) -> None:
        """Note that the right token came from an address."""
        if address not in self._trusted:
            if len(self._trusted) >= _MOST_ADDRESSES:
                self._trusted.clear()
            self._trusted.add(address)

    def add(self, address: str, token: bytes, now: datetime) -> None:
        """Note a wrong token of an address."""
        if len(self._guesses) >= _MOST_ADDRESSES:
            self._forget_old(now)
        guesses = self._guesses.setdefault(network_of(address), {})
        digest = hashlib.blake2b(token, key=self._salt, digest_size=16).digest()
        guesses.pop(digest, None)
        guesses[digest] = now
        # A trusted address may go on.
        while len(guesses) > MOST_GUESSES:
            guesses.pop(next(iter(guesses)))

    def seconds_left(self, address: str, now: datetime, *, trusts: bool) -> int | None:
        """The seconds until the address may try again; None if it may now.

        With `trusts`, one that has sent the right token always may.
        """
        if not self._guesses or (trusts and address in self._trusted):
            return None
        network = network_of(address)
        recent = {
            digest: at
            for digest, at in self._guesses.get(network, {}).items()
            if at <= now < at + WINDOW
        }
        if not recent:
            self._guesses.pop(network, None)
            return None
        self._guesses[network] = recent
        if len(recent) < MOST_GUESSES:
            return None
        return int((min(recent.values()) + WINDOW - now).total_seconds()) + 1

    def _forget_old(self, now: datetime) -> None:
        self._guesses = {
            network: guesses
            for network, guesses in self._guesses.items()
            if any(now < at + WINDOW for at in guesses.values())
        }
        while len(self._guesses) >= _MOST_ADDRESSES:
            self._guesses.pop(next(iter(self._guesses)))


def network_of(address: str) -> str:
    """What one guesser has: an address of IPv4, the first 64 bits of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return parsed.exploded[:19]
    return address
