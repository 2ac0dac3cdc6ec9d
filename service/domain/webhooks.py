"""Which events a webhook is told, and when a message is tried again."""

import ipaddress
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from service.contract.webhooks import Webhook

Network = IPv4Network | IPv6Network
_DELAYS = (1, 6, 24, 120, 360, 720, 1440, 2880, 5760, 8640, 14_400, 17_280)
"""In multiples of the first: with 5 seconds the last try is three days after the first."""
TRIES = len(_DELAYS) + 1
MOST_WAIT_SECONDS = 86_400.0
_JITTER = 0.1


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks in a comma-separated text, such as `10.0.0.0/8, ::1`; raises ValueError."""
    parts = (part.strip() for part in text.split(","))
    return tuple(ipaddress.ip_network(part) for part in parts if part)


def is_told(webhook: Webhook, event_type: str, data: Mapping[str, Any]) -> bool:
    """Whether a webhook wants an event; one of no job passes no filter of labels or recipes."""
    if not webhook.enabled or (webhook.events and event_type not in webhook.events):
        return False
    job = data.get("job")
    if job is None:
        return not webhook.labels and webhook.recipe is None
    if webhook.recipe is not None and job["recipe"] != webhook.recipe:
        return False
    labels = job["labels"]
    return all(labels.get(key) == value for key, value in webhook.labels.items())


def wait_seconds(
    tries: int, *, first_seconds: float, draw: float, retry_after_seconds: float | None
) -> float | None:
    """The wait after this many tries; None after the last. `draw` in 0 to 1 varies it by a tenth.

    A receiver may ask for a longer wait, of a day at most.
    """
    if tries >= TRIES:
        return None
    delay = _DELAYS[tries - 1] * first_seconds * (1.0 + _JITTER * (2.0 * draw - 1.0))
    return max(delay, min(retry_after_seconds or 0.0, MOST_WAIT_SECONDS))
