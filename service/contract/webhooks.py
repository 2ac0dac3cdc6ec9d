"""Webhooks: who is told of what happens to jobs, and how each delivery went."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.fields import Id, IdText, Labels, LabelTexts, Name, Result
from service.contract.jobs import JobState
from service.contract.json_types import NOT_NULL, WHOLE_NUMBER
from service.contract.text import CutTo, Message, ShortText, Text

URL_LENGTH = 2048
MOST_WEBHOOKS = 100
OVERLAP_SECONDS = 86_400
MOST_OVERLAP_SECONDS = 7 * 86_400
TEST_EVENT = "webhook.test"
CHECKPOINT_EVENT = "checkpoint.published"
QUARANTINE_EVENT = "worker.quarantined"
EVENT_TYPES = (*(f"job.{state}" for state in JobState), CHECKPOINT_EVENT, QUARANTINE_EVENT)
"""`job.<state>` is sent when a job has come into that state."""

WebhookFormat = Literal["standard", "slack", "teams"]
EventType = Annotated[str, Field(json_schema_extra={"enum": list(EVENT_TYPES)}, max_length=32)]
Events = Annotated[tuple[EventType, ...], Field(max_length=len(EVENT_TYPES))]
Url = Annotated[Text, Field(min_length=1, max_length=URL_LENGTH)]


class NewWebhook(BaseModel):
    """`POST /webhooks`: no events are all events; labels and recipe narrow those of jobs.

    `format` is `standard` for programs, `slack` or `teams` for their incoming webhooks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Url
    name: Name | None = None
    format: WebhookFormat = "standard"
    events: Events = ()
    labels: Labels = Field(default_factory=dict)
    recipe: Id | None = None


class WebhookEdit(BaseModel):
    """`PATCH /webhooks/{id}`: missing fields are unchanged, lists and labels are replaced.

    `enabled` true begins again with what happens from now on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[Url | None, NOT_NULL] = None
    name: Name | None = None
    events: Annotated[Events | None, NOT_NULL] = None
    labels: Annotated[Labels | None, NOT_NULL] = None
    recipe: Id | None = None
    enabled: Annotated[bool | None, NOT_NULL] = None


class SecretRotation(BaseModel):
    """`POST /webhooks/{id}/rotate-secret`: how long the secrets before the new one go on signing.

    0 ends them at once, as is right where somebody else has seen one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    overlap_seconds: Annotated[int, Field(ge=0, le=MOST_OVERLAP_SECONDS), WHOLE_NUMBER] = (
        OVERLAP_SECONDS
    )


class Webhook(BaseModel):
    """A webhook; `disabled_reason` says why nothing is sent to it, if it is not enabled.

    Until `previous_secret_expires_at` an earlier secret signs, too; without it the newest alone.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["webhook"] = "webhook"
    id: IdText
    url: Annotated[str, CutTo(URL_LENGTH)]
    name: ShortText | None = None
    format: ShortText
    events: Annotated[tuple[ShortText, ...], CutTo(100)] = ()
    labels: LabelTexts = Field(default_factory=dict)
    recipe: IdText | None = None
    enabled: bool
    disabled_reason: Message | None = None
    created_at: datetime
    previous_secret_expires_at: Annotated[
        datetime | None, Field(exclude_if=lambda moment: moment is None)
    ] = None


class WebhookWithSecret(Webhook):
    """A webhook, with the new secret that signs its messages: it is shown this once."""

    secret: ShortText


class Delivery(BaseModel):
    """A message for a webhook: what was sent, how often, and what the receiver last answered.

    `state` is `pending`, `delivered`, or `failed` after the last try.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["delivery"] = "delivery"
    event_id: IdText
    type: ShortText
    state: ShortText
    tries: int
    created_at: datetime
    last_try_at: datetime | None = None
    next_try_at: datetime | None = None
    status: int | None = None
    error: Message | None = None
    answer: Message | None = None
    body: Result
    """What is sent, as JSON."""
