"""The routes of webhooks."""

import secrets
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from service.api.dependencies import Context
from service.api.parameters import IdFilter, Limit, PathId
from service.api.refusals import refusals
from service.api.responses import UNCHANGED, Page, listed
from service.contract.webhooks import (
    Delivery,
    NewWebhook,
    SecretRotation,
    Webhook,
    WebhookEdit,
    WebhookWithSecret,
)
from service.control.webhooks import registry
from service.control.webhooks.signature import secret_of

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

_SECRET_BYTES = 32


@router.post("", status_code=201, responses=refusals(409))
def create(body: NewWebhook, context: Context, response: Response) -> WebhookWithSecret:
    """Have a receiver be told of events from now on; the answer has the secret, this once."""
    context.address_guard.check_url(body.url)
    with context.database.write() as tx:
        created = registry.create(
            tx,
            body,
            webhook_id=context.new_id("whk"),
            secret=_new_secret(),
            now=context.now(),
        )
    response.headers["Location"] = f"/webhooks/{created.id}"
    return created


@router.get("", response_model=Page[Webhook], responses=UNCHANGED)
def page(request: Request, context: Context) -> Response:
    """All webhooks, without their secrets, oldest first."""
    with context.database.read() as tx:
        return listed(request, registry.every(tx, context.now()))


@router.get("/{webhook_id}", responses=refusals(404))
def get(webhook_id: PathId, context: Context) -> Webhook:
    """One webhook, without its secret."""
    with context.database.read() as tx:
        return registry.get(tx, webhook_id, context.now())


@router.patch("/{webhook_id}", responses=refusals(404))
def edit(webhook_id: PathId, body: WebhookEdit, context: Context) -> Webhook:
    """Change where it is and what it is told; messages that wait go to the new URL."""
    if body.url is not None:
        context.address_guard.check_url(body.url)
    with context.database.write() as tx:
        return registry.edit(tx, webhook_id, body, context.now())


@router.delete("/{webhook_id}", status_code=204, responses=refusals(404))
def delete(webhook_id: PathId, context: Context) -> None:
    """Delete it with its deliveries; what waits is not sent any more."""
    with context.database.write() as tx:
        registry.delete(tx, webhook_id)


@router.post("/{webhook_id}/rotate-secret", responses=refusals(404))
def rotate_secret(
    webhook_id: PathId, context: Context, how: SecretRotation | None = None
) -> WebhookWithSecret:
    """Make a new secret, which is in the answer, this once, and signs from now on.

    Those before it go on signing beside it for `overlap_seconds` (a day), the newest four in all:
    a receiver verifies messages with any of them.
    """
    rotation = how if how is not None else SecretRotation()
    with context.database.write() as tx:
        return registry.rotate_secret(
            tx,
            webhook_id,
            secret=_new_secret(),
            overlap=timedelta(seconds=rotation.overlap_seconds),
            now=context.now(),
        )


@router.post("/{webhook_id}/test", status_code=202, responses=refusals(404, 409))
def test(webhook_id: PathId, context: Context) -> Delivery:
    """Send it a message of the type `webhook.test`; its deliveries tell what came of it."""
    with context.database.write() as tx:
        delivery = registry.send_test(
            tx,
            webhook_id,
            event_id=context.new_id("evt"),
            public_url=context.settings.public_url,
            now=context.now(),
        )
    context.hasten_webhooks()
    return delivery


@router.get(
    "/{webhook_id}/deliveries",
    response_model=Page[Delivery],
    responses=UNCHANGED | refusals(404),
)
def deliveries(
    request: Request,
    webhook_id: PathId,
    context: Context,
    after: IdFilter = None,
    limit: Limit = 20,
) -> Response:
    """What was sent and what waits, newest first; `after` is the `next` of the page before.

    The newest 1,000 are kept, for 30 days.
    """
    with context.database.read() as tx:
        found, has_more = registry.deliveries(tx, webhook_id, after, limit)
    return listed(request, found, has_more=has_more, key="event_id")


@router.post(
    "/{webhook_id}/deliveries/{event_id}/redeliver",
    status_code=202,
    responses=refusals(404, 409),
)
def redeliver(webhook_id: PathId, event_id: PathId, context: Context) -> Delivery:
    """Send a message again, with the same id, whatever came of it before."""
    with context.database.write() as tx:
        delivery = registry.redeliver(tx, webhook_id, event_id, context.now())
    context.hasten_webhooks()
    return delivery


def _new_secret() -> str:
    return secret_of(secrets.token_bytes(_SECRET_BYTES))
