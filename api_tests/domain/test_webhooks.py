"""When a message is tried again, and what Slack and Teams are sent."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.control.webhooks.formats import body_of
from service.domain.webhooks import TRIES, wait_seconds

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def wait_of(tries: int, draw: float = 0.5, retry_after: float | None = None) -> float | None:
    return wait_seconds(tries, first_seconds=5.0, draw=draw, retry_after_seconds=retry_after)


def test_tries_are_spread_over_three_days_ever_further_apart() -> None:
    waits = [wait_of(tries) for tries in range(1, TRIES)]
    numbers = [wait for wait in waits if wait is not None]
    assert len(numbers) == TRIES - 1
    assert numbers == sorted(numbers)
    assert timedelta(hours=70) < timedelta(seconds=sum(numbers)) < timedelta(hours=74)
    assert wait_of(TRIES) is None


def test_the_jitter_is_a_tenth_and_a_receiver_may_ask_for_a_day_at_most() -> None:
    assert wait_of(1, draw=0.0) == pytest.approx(4.5)
    assert wait_of(1, draw=1.0) == pytest.approx(5.5)
    assert wait_of(1, retry_after=100.0) == 100.0
    assert wait_of(1, retry_after=1e9) == 86_400.0
    assert wait_of(1, retry_after=1.0) == 5.0


def data(**job: Any) -> dict[str, Any]:
    known = {"id": "job_1", "name": None, "kind": "train", "recipe": "oneshot", "variant": "base"}
    return {"job": known | job, "event": {"kind": "failed", "message": job.pop("why", "why")}}


HOSTILE = "<!channel> *x* [a](http://evil) @here & `b`"


def test_slack_is_sent_a_text_that_mentions_nobody_and_formats_nothing() -> None:
    body = json.loads(body_of("slack", "job.failed", data(name=HOSTILE), NOW, "https://t.example"))
    assert "<!channel>" not in body["text"]
    assert "&lt;!channel&gt; *x* [a](http://evil) @here &amp; `b` (job_1)" in body["text"]
    [section, context] = body["blocks"]
    assert section["text"]["type"] == "plain_text"
    assert HOSTILE in section["text"]["text"]
    assert context["elements"][0]["text"] == "<https://t.example/#/jobs/job_1|Open>"


def test_teams_is_sent_a_card_whose_text_has_no_markdown_of_users() -> None:
    body = json.loads(body_of("teams", "job.failed", data(name=HOSTILE), NOW, "https://t.example"))
    [attachment] = body["attachments"]
    card = attachment["content"]
    text = card["body"][0]["text"]
    assert "\\[a\\]\\(http://evil\\)" in text
    assert "\\*x\\*" in text
    assert "failed: " in text
    [action] = card["actions"]
    assert action == {
        "type": "Action.OpenUrl",
        "title": "Open",
        "url": "https://t.example/#/jobs/job_1",
    }


@pytest.mark.parametrize("name", ["slack", "teams"])
def test_a_long_message_is_cut_and_has_no_link_without_a_public_url(name: str) -> None:
    long = {"worker": {"id": "wrk_1", "host": "h"}, "event": {"message": "m" * 100_000}}
    body = body_of(name, "worker.quarantined", long, NOW, "")
    assert len(body) < 6000
    assert "quarantined" in body
    assert "Open" not in body
