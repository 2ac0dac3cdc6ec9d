"""What browsers are told of every answer."""

HEADERS = {
    # A file of the volume is what its media type says, and never a page or a script.
    "X-Content-Type-Options": "nosniff",
    # No other page may show this one, and have its buttons clicked.
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Ids in addresses are nobody else's business.
    "Referrer-Policy": "no-referrer",
}

_ENCODED = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_NAMES = frozenset(name for name, _ in _ENCODED)


def with_security_headers(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer and these; a header that a route has set stays."""
    present = {name.lower() for name, _ in headers} & _NAMES
    if not present:
        return headers + _ENCODED
    return headers + [pair for pair in _ENCODED if pair[0] not in present]
