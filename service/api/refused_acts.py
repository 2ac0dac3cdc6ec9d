"""What callers were refused, for the audit list: so few of it that nobody fills the disk."""

from collections.abc import Hashable
from time import monotonic

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from service.api.access import caller_key
from service.api.request_origins import RequestOrigins
from service.api.request_rate import RequestRate
from service.contract.request_origin import RequestOrigin
from service.control.access import audit
from service.store.engine import Database
from service.store.outages import DATABASE_OUTAGES

OF_ONE_A_MINUTE = 12
OF_ALL_A_MINUTE = 120
_log = structlog.get_logger()


class RefusedActs:
    """Notes changes that a role or an owner forbids, and logins with a wrong token.

    Of one token, or of one address without a token, two at once and 12 a minute; of all callers of
    this server 120 a minute. What is above that is not noted, and no refusal waits for it.
    """

    def __init__(self, database: Database, origins: RequestOrigins) -> None:
        self._database, self._origins = database, origins
        self._rate_of_one = RequestRate(OF_ONE_A_MINUTE)
        self._rate_of_all = RequestRate(OF_ALL_A_MINUTE)

    async def note_change(self, scope: Scope) -> None:
        """Note a change that was answered 403, if a token sent it."""
        origin = self._origins.of(scope)
        if origin is not None and origin.actor is not None:
            detail = f"{scope['method']} {scope['path']}"
            await self._note(audit.CHANGE_REFUSED, detail, origin, caller_key(scope))

    async def note_login(self, scope: Scope) -> None:
        """Note a login with a wrong token."""
        origin = self._origins.of(scope)
        if origin is not None:
            await self._note(audit.LOGIN_REFUSED, None, origin, caller_key(scope))

    async def _note(
        self, action: str, detail: str | None, origin: RequestOrigin, caller: Hashable
    ) -> None:
        now = monotonic()
        if self._rate_of_one.seconds_left(caller, now) is not None:
            return
        if self._rate_of_all.seconds_left("all", now) is not None:
            return
        try:
            await run_in_threadpool(audit.note_refusal, self._database, action, detail, origin)
        except DATABASE_OUTAGES as error:
            _log.warning("refusal_not_noted", action=action, error=str(error).split("\n")[0])
