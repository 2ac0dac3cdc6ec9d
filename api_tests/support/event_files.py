"""What TensorBoard reads in the files of a job."""

import warnings
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from tensorboard.backend.event_processing import event_accumulator, io_wrapper


def runs_in(folder: Path) -> list[Path]:
    """The folders that TensorBoard takes for runs, below a folder that it is started on."""
    return sorted(Path(run) for run in io_wrapper.GetLogdirSubdirectories(str(folder)))


def read_run(run: Path) -> Any:
    """The EventAccumulator of a run, with everything that is in its files."""
    guidance = {event_accumulator.SCALARS: 0, event_accumulator.IMAGES: 0}
    accumulator = event_accumulator.EventAccumulator(str(run), guidance)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return accumulator.Reload()


def points_of(run: Path, tag: str) -> list[tuple[int, float]]:
    """The (step, value) pairs of a scalar."""
    return [(each.step, each.value) for each in read_run(run).Scalars(tag)]
