"""The loop that begins, judges and ends the trials of sweeps."""

from service.background.turn_loop import turn_loop
from service.context import SWEEPS, AppContext
from service.contract.loop import Loop
from service.control.sweeps import turn
from service.store import sweeps


def sweep_loop(context: AppContext) -> Loop:
    """Takes a turn of each live sweep."""
    return turn_loop(SWEEPS, context, lambda tx: sweeps.live_ids(tx), turn)
