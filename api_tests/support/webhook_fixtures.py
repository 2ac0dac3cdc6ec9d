"""The fixture of tests that have webhooks received."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.webhook_receiver import WebhookReceiver


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[WebhookReceiver]:
    """A receiver that is there for one test."""
    receiver = WebhookReceiver(tmp_path / "receiver")
    yield receiver
    receiver.kill()
