"""The calls for sweeps and their trials."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from service.client.calls.follow import patiently
from service.client.calls.keys import key_header
from service.client.calls.responses import paginate, path_segment, requested
from service.client.errors import StillRunning
from service.client.flow import Flow, ItemFlow, pause, send
from service.contract.sweep_specs import NewSweep
from service.contract.sweeps import Sweep, SweepState, Trial

_PAGE = 100
_ENDED = (SweepState.FINISHED, SweepState.CANCELLED)
Spec = NewSweep | Mapping[str, Any]


def create_sweep(spec: Spec, *, key: str | None = None) -> Flow[Sweep]:
    """Begin a sweep, whose trainings are checked first, all of them.

    The idempotency key makes one sweep even if the request is sent again.
    """
    body = _body_of(spec)
    return requested(Sweep, "POST", "/sweeps", body=body, headers=key_header(key))


def check_sweep(spec: Spec) -> Flow[NewSweep]:
    """The sweep with every default, if it could begin; nothing is stored."""
    query = {"validate_only": "true"}
    return requested(NewSweep, "POST", "/sweeps", query=query, body=_body_of(spec))


def sweep(sweep_id: str) -> Flow[Sweep]:
    """One sweep, with the best of its trials so far."""
    return requested(Sweep, "GET", _path(sweep_id))


def sweeps(
    *, state: SweepState | str | Sequence[SweepState | str] | None = None
) -> ItemFlow[Sweep]:
    """All sweeps, or those in one of the states, newest first."""
    states = [state] if isinstance(state, str) else state
    chosen = None if states is None else [str(each) for each in states]
    return paginate(Sweep, "/sweeps", {"state": chosen, "limit": _PAGE})


def trials(sweep_id: str) -> ItemFlow[Trial]:
    """The trials of the sweep that have begun, by number."""
    return paginate(Trial, f"{_path(sweep_id)}/trials", {"limit": _PAGE})


def pause_sweep(sweep_id: str) -> Flow[Sweep]:
    """Begin no more trials, and have the jobs of those that are live save and stop."""
    return requested(Sweep, "POST", f"{_path(sweep_id)}/pause")


def resume_sweep(sweep_id: str) -> Flow[Sweep]:
    """Go on with a paused sweep, and with the jobs that were paused with it."""
    return requested(Sweep, "POST", f"{_path(sweep_id)}/resume")


def cancel_sweep(sweep_id: str) -> Flow[Sweep]:
    """Begin no more trials, and have the jobs of those that are live save and end."""
    return requested(Sweep, "POST", f"{_path(sweep_id)}/cancel")


def delete_sweep(sweep_id: str) -> Flow[None]:
    """Delete a sweep that has ended; its jobs stay."""
    yield from send("DELETE", _path(sweep_id))


def wait_for_sweep(
    sweep_id: str,
    on_change: Callable[[Sweep], object] = lambda _: None,
    *,
    timeout_seconds: float | None = None,
    poll_seconds: float = 2.0,
) -> Flow[Sweep]:
    """Poll a sweep until it has ended, and return it.

    `on_change` is called with the sweep when it is first read and after each change. A server that
    is away for less than a minute is asked again. Raises StillRunning after `timeout_seconds`;
    then, and when it is interrupted, the sweep goes on.
    """
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    before: Sweep | None = None
    while True:
        now = yield from patiently(lambda: requested(Sweep, "GET", _path(sweep_id), repeats=False))
        if now != before:
            on_change(now)
            before = now
        if now.state in _ENDED:
            return now
        left = poll_seconds if deadline is None else deadline - time.monotonic()
        if left <= 0:
            raise StillRunning(
                f"{sweep_id} has not ended within {timeout_seconds:g} s; it goes on: wait longer, "
                "or cancel it"
            )
        yield from pause(min(poll_seconds, left))


def _body_of(spec: Spec) -> dict[str, Any]:
    return spec.model_dump(mode="json") if isinstance(spec, BaseModel) else dict(spec)


def _path(sweep_id: str) -> str:
    return f"/sweeps/{path_segment(sweep_id)}"
