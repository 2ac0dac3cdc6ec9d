"""`python -m workers.data check|pack`: what the commands of the same names run.

Writes a line of JSON for each message: `progress` (done, all), then `result` or `error`.
"""

import argparse
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

from service.contract.data_spec import DataSpec
from workers.cpu_cores import available_cores
from workers.data.checks.data_set import check_data
from workers.data.errors import DataError
from workers.data.file_names import printable
from workers.data.packs.builder import PackBuilder
from workers.data.packs.encoding import DEFAULT_STORAGE, Storage
from workers.data.packs.originals import Originals

_SHOWN_SECONDS = 0.1


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 with a result, 1 with an error, 130 for Ctrl-C, 143 for SIGTERM."""
    options = _parser().parse_args(arguments)
    try:
        _send(result=options.run(options))
    except DataError as error:
        _send(error=str(error))
        return 1
    except OSError as error:
        name = printable(str(error.filename or options.target))
        problem = error.strerror or error
        _send(error=f"{name}: {problem}; run the same command again once it can be used")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m workers.data")
    commands = parser.add_subparsers(required=True)
    check = commands.add_parser("check")
    check.add_argument("target", type=Path)
    check.add_argument("--batch-size", type=int)
    check.add_argument("--exif-orientation", action="store_true")
    check.set_defaults(run=_check)
    pack = commands.add_parser("pack")
    pack.add_argument("folder", type=Path)
    pack.add_argument("target", type=Path)
    pack.add_argument("--encoding", default=DEFAULT_STORAGE.encoding)
    pack.add_argument("--short-side", type=int, default=DEFAULT_STORAGE.short_side)
    pack.add_argument("--quality", type=int, default=DEFAULT_STORAGE.quality)
    pack.set_defaults(run=_pack)
    for command in (check, pack):
        command.add_argument("--data-root", type=Path)
        command.add_argument("--processes", type=int, default=available_cores())
    return parser


def _check(options: argparse.Namespace) -> dict[str, Any]:
    target: Path = options.target
    if target.is_file():
        root, name = _below(target, options.data_root or target.parent)
        data = DataSpec.model_construct(packed=name)
    elif target.exists() and not (target.is_dir() and any(target.iterdir())):
        raise DataError(
            f"{printable(str(target))} is neither a pack nor a folder with the folders train and "
            "val, or val alone: name one"
        )
    else:
        root, folder = _below(target, options.data_root or target)
        has_train = (target / "train").is_dir()
        data = DataSpec.model_construct(
            train_dir=os.path.join(folder, "train") if has_train else None,
            val_dir=os.path.join(folder, "val"),
        )
    turns = "apply" if options.exif_orientation else "ignore"
    report = check_data(
        data.model_copy(update={"exif_orientation": turns}),
        root,
        batch_size=options.batch_size,
        processes=options.processes,
        progress=_Progress().show,
    )
    named = report.model_copy(update={"data": printable(str(target))})
    return named.model_dump(mode="json")


def _pack(options: argparse.Namespace) -> dict[str, Any]:
    root, folder = _below(options.folder, options.data_root or options.folder)
    storage = Storage(options.encoding, options.short_side, options.quality)
    builder = PackBuilder(Originals(root, folder), storage, options.target)
    return asdict(builder.build(options.processes, _Progress().show))


def _below(path: Path, root: Path) -> tuple[Path, str]:
    """The root and the path below it; raises DataError for one that is not."""
    if not path.exists():
        raise DataError(f"{printable(str(path))} does not exist: name a folder or a pack")
    try:
        relative = path.absolute().relative_to(root.absolute())
    except ValueError as error:
        raise DataError(
            f"{printable(str(path))} is not below {printable(str(root))}: name another --data-root"
        ) from error
    return root.absolute(), "" if relative == Path() else str(relative)


class _Progress:
    """A message at most ten times a second, and for the last image."""

    def __init__(self) -> None:
        self._sent_at = -_SHOWN_SECONDS

    def show(self, done: int, total: int) -> None:
        """What a command calls after each image."""
        now = monotonic()
        if done == total or now - self._sent_at >= _SHOWN_SECONDS:
            self._sent_at = now
            _send(progress=(done, total))


def _send(**message: object) -> None:
    sys.stdout.write(json.dumps(message, allow_nan=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # As KeyboardInterrupt does, so that a packing keeps what it has.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(main())
