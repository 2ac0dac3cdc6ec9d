"""The code of the guide for a receiver of webhooks does what the guide says."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from service.control.webhooks.signature import secret_of, signed_headers

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
OLD, NEW, OTHER = (secret_of(bytes([number]) * 32) for number in (1, 2, 3))
BODY = '{"type": "webhook.test"}'


@pytest.fixture
def verify() -> Any:
    """The function of the page that verifies with any of some secrets."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    (code,) = (block for block in blocks if "def verify" in block)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["verify"]


@pytest.mark.parametrize("signers", [[OLD], [NEW], [NEW, OLD]], ids=["old", "new", "both"])
@pytest.mark.parametrize("secrets", [[OLD, NEW], [NEW, OLD]], ids=["old first", "new first"])
def test_a_receiver_that_knows_two_secrets_takes_what_either_has_signed(
    verify: Any, secrets: list[str], signers: list[str]
) -> None:
    headers = signed_headers(signers, "evt_1", BODY.encode(), datetime.now(UTC))
    assert verify(secrets, BODY, headers) == {"type": "webhook.test"}
    for known, body in ((secrets, BODY + " "), ([OTHER], BODY), ([OTHER, OTHER], BODY)):
        with pytest.raises(WebhookVerificationError):
            verify(known, body, headers)
