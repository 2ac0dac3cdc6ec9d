"""What a run that waits for its data too long tells its user, once."""

from service.contract.time_spent import TimeSpent
from workers.cpu_cores import cores_of_rank
from workers.recipes.params import MOST_DATA_WORKERS
from workers.training.preprocessing import augment_on
from workers.training.run_context import RunContext

_LIMIT = 1 / 3
"""The share of its time that a run may wait for data before it says so."""
_SHORTEST_SECONDS = 60.0
"""How long a run is watched before it is judged: its first batches wait for loaders to start."""


class DataWaitAdvice:
    """Judges the time of a run from the first call on, and gives its sentence once at most.

    `ways` are what the user may change, the one to try first at the beginning.
    """

    def __init__(self, ways: list[str]) -> None:
        self._ways = ways
        self._first: TimeSpent | None = None
        self._is_given = False

    def after(self, spent: TimeSpent) -> str | None:
        """The sentence, if the run that has spent this time has waited for data too long."""
        first = self._first = self._first or spent
        seconds = spent.total_seconds - first.total_seconds
        waited = spent.data_wait_seconds - first.data_wait_seconds
        if self._is_given or seconds < _SHORTEST_SECONDS or waited <= seconds * _LIMIT:
            return None
        self._is_given = True
        return (
            f"the run waits for data {100 * waited / seconds:.0f} % of its time; "
            f"to make it faster, {' or '.join(self._ways)}"
        )


def advice_of(context: RunContext, loaders: int, room: int) -> DataWaitAdvice:
    """The advice for a training or an eval whose rank loads with `loaders` processes.

    `room` is how many the shared memory has room for.
    """
    ranks, trains = context.ranks, context.claim.spec.kind == "train"
    ways = ways_to_wait_less(
        loaders=loaders,
        room=room,
        cores=cores_of_rank(ranks.world_size),
        augments_in_loaders=trains and augment_on(context.params, ranks.device) == "loader",
        has_gpu=ranks.device.type == "cuda",
        reads_files=context.claim.job_spec.data.val_dir is not None,
    )
    return DataWaitAdvice(ways)


def ways_to_wait_less(
    *,
    loaders: int,
    room: int,
    cores: int,
    augments_in_loaders: bool,
    has_gpu: bool,
    reads_files: bool,
) -> list[str]:
    """What to change in a training of which each rank has `cores` and `loaders` processes.

    `room` is how many processes the shared memory has room for.
    """
    ways = []
    # One core is the rank's own.
    wanted = min(cores - 1, MOST_DATA_WORKERS)
    if loaders < min(wanted, room):
        ways.append(f"set data_workers to {min(wanted, room)}, of which it has {loaders}")
    elif loaders < wanted:
        ways.append(
            f"give its worker more shared memory: /dev/shm has room for {room} loader processes, "
            f"where {wanted} have cores"
        )
    if has_gpu and augments_in_loaders:
        ways.append('set augment_on to "device"')
    if reads_files:
        ways.append("pack the images with `trainyard data pack`")
    return ways or [f"use a worker with more than {cores} cores for each rank"]
