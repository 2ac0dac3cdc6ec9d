"""The loop that keeps tokens and sessions up to date with the database."""

import structlog

from service.context import AppContext
from service.contract.loop import Loop
from service.store.outages import DATABASE_OUTAGES

EVERY_SECONDS = 2.0
"""How long a token that another server has revoked may be accepted by this one."""
_log = structlog.get_logger()


def credentials_loop(context: AppContext) -> Loop:
    """Reads what other servers have changed, and stores when tokens were last used."""

    def turn() -> None:
        context.credentials.refresh(context.now())
        context.credentials.flush_use(context.now())

    return Loop("credentials", EVERY_SECONDS, turn, log=_log, outages=DATABASE_OUTAGES)
