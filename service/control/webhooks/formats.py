"""What a webhook is sent: JSON for programs, and messages that Slack and Teams show."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from service.contract.text import cut_text

_TEXT_LENGTH = 2000
_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>&@])")


def body_of(
    format_name: str, event_type: str, data: Mapping[str, Any], now: datetime, public_url: str
) -> str:
    """The body of a message, as JSON; `public_url` is where people find the page, or empty."""
    return json.dumps(_FORMATS[format_name](event_type, data, now, public_url), allow_nan=False)


def _standard(
    event_type: str, data: Mapping[str, Any], now: datetime, public_url: str
) -> dict[str, Any]:
    link = _link(data, public_url)
    shown = {**data, "link": link} if link is not None else data
    return {"type": event_type, "timestamp": now.isoformat(), "data": shown}


def _slack(
    event_type: str, data: Mapping[str, Any], _: datetime, public_url: str
) -> dict[str, Any]:
    sentence = _sentence(event_type, data)
    # Plain text has no formatting and mentions nobody; the other one is for notifications.
    plain = {"type": "plain_text", "text": sentence, "emoji": False}
    blocks: list[dict[str, Any]] = [{"type": "section", "text": plain}]
    link = _link(data, public_url)
    if link is not None:
        opened = {"type": "mrkdwn", "text": f"<{link.translate(_SLACK)}|Open>"}
        blocks.append({"type": "context", "elements": [opened]})
    return {"text": sentence.translate(_SLACK), "blocks": blocks}


def _teams(
    event_type: str, data: Mapping[str, Any], _: datetime, public_url: str
) -> dict[str, Any]:
    text = _MARKDOWN.sub(r"\\\1", _sentence(event_type, data))
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "TextBlock", "text": text, "wrap": True}],
    }
    link = _link(data, public_url)
    if link is not None:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": link}]
    content_type = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": content_type, "content": card}]}


_FORMATS: dict[str, Callable[[str, Mapping[str, Any], datetime, str], dict[str, Any]]] = {
    "standard": _standard,
    "slack": _slack,
    "teams": _teams,
}


def _sentence(event_type: str, data: Mapping[str, Any]) -> str:
    message = data["event"]["message"]
    job, worker = data.get("job"), data.get("worker")
    if job is not None:
        network = " ".join(filter(None, (job["recipe"], job["variant"])))
        named = f"{job['name']} ({job['id']})" if job["name"] else job["id"]
        what = f"{named}, {job['kind']}{f' of {network}' if network else ''}"
        # The entry of a history begins with the state in some cases, and never has the job.
        sentence = f"{event_type.removeprefix('job.')}: {what}: {message}"
    elif worker is not None:
        sentence = f"worker {worker['host']} ({worker['id']}) is quarantined: {message}"
    else:
        sentence = message
    return cut_text(" ".join(sentence.split()), _TEXT_LENGTH)


def _link(data: Mapping[str, Any], public_url: str) -> str | None:
    if not public_url:
        return None
    root = public_url.rstrip("/")
    if "job" in data:
        return f"{root}/#/jobs/{data['job']['id']}"
    return f"{root}/#/workers" if "worker" in data else f"{root}/"
