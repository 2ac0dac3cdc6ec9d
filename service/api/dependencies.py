"""What the routes are given: the database, the settings, a clock, ids."""

import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from service.contract.agent import Lease
from service.control.leases.reaper import Windows
from service.control.leases.transitions import Patience
from service.domain.errors import Unauthorized
from service.notifier import Wakeups
from service.settings import Settings
from service.store.engine import Database
from service.volume_limiter import VolumeTurns


@dataclass(frozen=True)
class Yard:
    """Everything that a route may need and is not its own; `draw` gives 0 to 1."""

    settings: Settings
    database: Database
    now: Callable[[], datetime]
    new_id: Callable[[str], str]
    new_token: Callable[[], str]
    draw: Callable[[], float]
    wakeups: Wakeups = field(default_factory=Wakeups)
    turns: VolumeTurns = field(default_factory=VolumeTurns)

    def patience(self) -> Patience:
        """How long a failed job waits, drawn anew for each."""
        return Patience(self.settings.retry_backoff_seconds, self.draw())

    @property
    def lease(self) -> Lease:
        """How agents keep their leases."""
        settings = self.settings
        return Lease(
            heartbeat_seconds=settings.heartbeat_seconds,
            self_end_seconds=settings.self_end_seconds,
            kill_grace_seconds=settings.kill_grace_seconds,
            stall_seconds=settings.stall_seconds,
        )

    @property
    def windows(self) -> Windows:
        """How long silence is borne."""
        settings = self.settings
        return Windows(
            settings.start_seconds, settings.unreachable_seconds, settings.reassign_seconds
        )


def _yard(request: Request) -> Yard:
    yard = request.app.state.yard
    assert isinstance(yard, Yard)
    return yard


TheYard = Annotated[Yard, Depends(_yard)]


async def _look(yard: TheYard) -> AsyncIterator[None]:
    async with yard.turns.looks.taken():
        yield


async def _work(yard: TheYard) -> AsyncIterator[None]:
    async with yard.turns.works.taken():
        yield


LooksAtVolume = Depends(_look, scope="function")
"""For a route that finds or reads a file; its turn ends with the function."""

WorksOnVolume = Depends(_work, scope="function")
"""For a route that goes through whole folders."""


def authorized(request: Request, yard: TheYard) -> None:
    """Refuse agents and writers without the server's token, if it has one."""
    token = yard.settings.token
    if token is None:
        return
    sent = request.headers.get("authorization", "")
    expected = f"Bearer {token.get_secret_value()}"
    if not hmac.compare_digest(sent.encode(), expected.encode()):
        raise Unauthorized


Authorized = Depends(authorized)
