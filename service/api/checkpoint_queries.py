"""The filters by which a list of checkpoints, or a table of them, is asked for."""

from typing import Annotated

from fastapi import Depends

from service.api.parameters import Flag, IdFilter, VariantFilter
from service.contract.checkpoints import Phase, SortKey, State
from service.store.checkpoint_search import CheckpointFilter


async def _asked(
    job: IdFilter = None,
    recipe: IdFilter = None,
    variant: VariantFilter = None,
    tag: IdFilter = None,
    phase: Phase | None = None,
    pinned: Flag | None = None,
    state: State | None = None,
    retained: Flag | None = None,
    order_by: SortKey = "-created_at",
) -> CheckpointFilter:
    # A coroutine: what is no coroutine is called in a thread, at each request.
    return CheckpointFilter(
        job,
        recipe,
        variant,
        tag=tag,
        order_by=order_by,
        phase=phase,
        pinned=pinned,
        state=state,
        retained=retained,
    )


AskedCheckpoints = Annotated[CheckpointFilter, Depends(_asked)]
"""All filters that the query has; a route sets the page."""
