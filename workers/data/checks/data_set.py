"""The check of a whole data set."""

from collections.abc import Callable
from pathlib import Path

from service.contract.counts import count_text
from service.contract.data_report import DataReport
from service.contract.data_spec import DataSpec
from workers.data.checks.findings import Findings
from workers.data.checks.splits import OpenSplit, open_splits
from workers.data.classes import difference
from workers.data.errors import DataError, InvalidData
from workers.data.processes import in_processes

Progress = Callable[[int, int], None]
"""Called with the number of images that are read, and of all; may raise to end the check."""


def check_data(
    data: DataSpec, data_root: Path, *, batch_size: int | None, processes: int, progress: Progress
) -> DataReport:
    """Read every image of both splits, and report what would end a training or an eval.

    Of a pack each image is compared with its sha256, too. Without a `batch_size` any number of
    images is enough. Raises NoDataRoot.
    """
    findings = Findings()
    splits = open_splits(data, data_root, findings)
    _compare(splits, batch_size, findings)
    _read_all(splits, processes, progress, findings)
    return findings.report(data.dataset or data.packed or data.train_dir or data.val_dir or "")


def _compare(splits: list[OpenSplit], batch_size: int | None, findings: Findings) -> None:
    by_name = {split.name: split for split in splits}
    train, val = by_name.get("train"), by_name.get("val")
    if train is not None and val is not None:
        wrong = difference(train.class_names, val.class_names, "val")
        if wrong:
            findings.add(f"train and val have different classes: {wrong}")
    if train is not None and batch_size is not None and batch_size > train.images:
        findings.add(
            f"batch_size {batch_size} is larger than the training set of "
            f"{count_text(train.images, 'image')}; "
            f"use at most {train.images}"
        )


def _read_all(
    splits: list[OpenSplit], processes: int, progress: Progress, findings: Findings
) -> None:
    places = [(split, index) for split in splits for index in range(split.images)]

    def problem_of(number: int) -> DataError | None:
        split, index = places[number]
        try:
            split.read(index)
        except DataError as error:
            return error
        return None

    progress(0, len(places))
    for number, problem in enumerate(in_processes(problem_of, range(len(places)), processes)):
        if isinstance(problem, InvalidData):
            findings.add(problem)
        elif problem is not None:
            raise problem
        progress(number + 1, len(places))
