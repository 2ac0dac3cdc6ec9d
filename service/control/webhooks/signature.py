"""The signature of a message, by https://www.standardwebhooks.com."""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"


def secret_of(randomness: bytes) -> str:
    """A secret of at least 24 random bytes, as a receiver's library takes it."""
    assert len(randomness) >= 24, "a secret that could be guessed"
    return PREFIX + base64.b64encode(randomness).decode()


def signed_headers(
    secrets: Sequence[str], event_id: str, body: bytes, now: datetime
) -> dict[str, str]:
    """The three headers of a message that is sent now, with a signature by each secret."""
    timestamp = int(now.timestamp())
    content = f"{event_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, content) for secret in secrets),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return f"v1,{base64.b64encode(hmac.digest(key, content, 'sha256')).decode()}"
