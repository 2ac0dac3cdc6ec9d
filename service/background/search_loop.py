"""The loop that makes the jobs that measure for searches, and ends them with their searches."""

from service.background.turn_loop import turn_loop
from service.context import AppContext
from service.contract.loop import Loop
from service.control.jobs import search_turn
from service.store import search_parts


def search_loop(context: AppContext) -> Loop:
    """Takes a turn of each search with parts."""
    return turn_loop("searches", context, lambda tx: search_parts.searches(tx), search_turn)
