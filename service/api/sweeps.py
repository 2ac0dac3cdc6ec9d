"""The routes of sweeps."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.exc import IntegrityError

from service.api.dependencies import By, Context
from service.api.parameters import Flag, IdempotencyKey, IdFilter, Limit, Past, PathId
from service.api.refusals import refusals
from service.api.responses import UNCHANGED, Page, conditional, listed
from service.context import AppContext
from service.contract.model_json import json_of
from service.contract.sweep_specs import NewSweep
from service.contract.sweeps import Sweep, SweepState, Trial
from service.control.sweeps import registry
from service.control.sweeps.checks import check
from service.domain.access import Caller

router = APIRouter(prefix="/sweeps", tags=["sweeps"])

_NOT_NEW = "The same sweep came before; with `validate_only`, nothing was stored"


@router.post(
    "",
    status_code=201,
    response_model=Sweep,
    responses={200: {"model": Sweep | NewSweep, "description": _NOT_NEW}, **refusals(410)},
)
def create(
    body: NewSweep,
    context: Context,
    by: By,
    key: IdempotencyKey = None,
    validate_only: Flag = False,
) -> Response:
    """Begin a sweep, whose trainings are checked first, all of them.

    The same Idempotency-Key and body give the same sweep again. With `validate_only` nothing is
    stored: the answer is the sweep with every default.
    """
    with context.database.read() as tx:
        check(tx, body)
    if validate_only:
        return Response(json_of(body), media_type="application/json")
    try:
        sweep, replayed = _create(context, body, key, by)
    except IntegrityError:
        # A concurrent call with the same key was faster: now its sweep is found.
        sweep, replayed = _create(context, body, key, by)
    context.hasten_sweeps()
    headers = {"Location": f"/sweeps/{sweep.id}"}
    status = 200 if replayed else 201
    return Response(json_of(sweep), status, headers, media_type="application/json")


@router.get("", response_model=Page[Sweep], responses=UNCHANGED)
def page(
    request: Request,
    context: Context,
    by: By,
    state: Annotated[list[SweepState] | None, Query(max_length=len(SweepState))] = None,
    after: IdFilter = None,
    limit: Limit = 20,
) -> Response:
    """Sweeps, newest first, in one of the states; `after` is the `next` of the page before."""
    with context.database.read() as tx:
        found, has_more = registry.page(tx, state or (), after, limit, by)
    return listed(request, found, has_more=has_more)


@router.get("/{sweep_id}", response_model=Sweep, responses=UNCHANGED | refusals(404))
def get(request: Request, sweep_id: PathId, context: Context, by: By) -> Response:
    """One sweep, with the best of its trials so far."""
    with context.database.read() as tx:
        return conditional(request, json_of(registry.get(tx, sweep_id, by)))


@router.get("/{sweep_id}/trials", response_model=Page[Trial], responses=UNCHANGED | refusals(404))
def trials(
    request: Request, sweep_id: PathId, context: Context, after: Past = 0, limit: Limit = 20
) -> Response:
    """Its trials that have begun, by number; `after` is the `next` of the page before."""
    with context.database.read() as tx:
        found, has_more = registry.trials_of(tx, sweep_id, after, limit)
    return listed(request, found, has_more=has_more, key="number")


@router.post("/{sweep_id}/pause", responses=refusals(404, 409))
def pause(sweep_id: PathId, context: Context, by: By) -> Sweep:
    """Begin no more trials, and have the jobs of those that are live save and stop."""
    with context.database.write() as tx:
        sweep = registry.pause(tx, sweep_id, context.now(), by)
    context.notifier.notify()
    return sweep


@router.post("/{sweep_id}/resume", responses=refusals(404, 409))
def resume(sweep_id: PathId, context: Context, by: By) -> Sweep:
    """Go on with a paused sweep, and with the jobs that were paused with it."""
    with context.database.write() as tx:
        sweep = registry.resume(tx, sweep_id, context.now(), by)
    context.notifier.notify()
    context.hasten_sweeps()
    return sweep


@router.post("/{sweep_id}/cancel", responses=refusals(404, 409))
def cancel(sweep_id: PathId, context: Context, by: By) -> Sweep:
    """Begin no more trials, and have the jobs of those that are live save and end."""
    with context.database.write() as tx:
        sweep = registry.cancel(tx, sweep_id, context.now(), by)
    context.notifier.notify()
    context.hasten_sweeps()
    return sweep


@router.delete("/{sweep_id}", status_code=204, responses=refusals(404, 409))
def delete(sweep_id: PathId, context: Context, by: By) -> None:
    """Delete a sweep that has ended; its jobs stay."""
    with context.database.write() as tx:
        registry.delete(tx, sweep_id, by)


def _create(context: AppContext, body: NewSweep, key: str | None, by: Caller) -> tuple[Sweep, bool]:
    """The sweep, and whether an earlier call with the same key made it."""
    with context.database.write() as tx:
        return registry.create(
            tx, body, sweep_id=context.new_id("swp"), key=key, now=context.now(), by=by
        )
