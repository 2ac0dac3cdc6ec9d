"""The files in which TensorBoard finds what a job measures: one run a job, whatever its attempts.

All attempts write into `jobs/<job>/tensorboard/<name>/` of the volume, each a file of its own whose
name sorts by attempt. An attempt begins its file with the step from which on it measures again, so
that TensorBoard forgets what a killed attempt had measured beyond it.
"""

import errno
import json
import os
import re
import struct
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import masked_crc32c
from tensorboardX.summary import hparams, scalar, text

from service.contract.agent import Claim
from service.contract.checkpoints import tensorboard_path
from service.contract.specs import SearchSpec
from service.volume.identity import SharedVolume
from service.volume.opener import make_folders, open_folder

FULL_RATE = 10_000
"""Reports that are written as they come; of so many more every second, then every fourth …"""
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
_TAGS = {
    "loss": "loss/train",
    "train_top1_error": "top1_error/train",
    "train_top5_error": "top5_error/train",
    "val_loss": "loss/validation",
    "top1_error": "top1_error/validation",
    "top5_error": "top5_error/validation",
}
_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


class EventFiles:
    """The file of one attempt; what cannot be written now is left out, and the next goes on.

    A record is whole or absent: a crash and a full disk leave what was written before readable.
    """

    def __init__(self, volume: SharedVolume, claim: Claim) -> None:
        self._root, self._claim = volume.root, claim
        self._folder: str | None = None
        self._name = f"events.out.tfevents.{claim.attempt:010d}.trainyard"
        self._rate = _Rate()

    def write(self, kind: str, body: Mapping[str, Any], at: datetime) -> None:
        """Write what an event of the attempt measured; raises OSError."""
        events = b"".join(_record(event, at) for event in self._events(kind, body))
        if events:
            self._append(events)

    def write_picture(self, tag: str, png: bytes, size: tuple[int, int], at: datetime) -> None:
        """Write a picture of (width, height); raises OSError."""
        image = Summary.Image(width=size[0], height=size[1], colorspace=3, encoded_image_string=png)
        summary = Summary(value=[Summary.Value(tag=tag, image=image)])
        self._append(_record(Event(summary=summary), at))

    def _events(self, kind: str, body: Mapping[str, Any]) -> Iterator[Event]:
        step = int(body.get("step") or 0)
        if kind == "started":
            yield Event(file_version="brain.Event:2")
            start = SessionLog(status=SessionLog.SessionStatus.Value("START"))
            yield Event(step=step + 1 if step else 0, session_log=start)
            yield from self._about_the_job()
        elif kind == "progress" and self._rate.takes():
            rate = {"images_per_second": body.get("images_per_second")}
            yield from _scalars(step, {**body.get("metrics", {}), **rate})
        elif kind == "metrics":
            yield from _scalars(step, body["metrics"])
        elif kind == "ended" and body.get("outcome") == "succeeded":
            if self._claim.spec.kind == "eval":
                yield from _scalars(0, _of_validation(body.get("result") or {}))
            yield Event(summary=hparams({}, {})[2])

    def _about_the_job(self) -> Iterator[Event]:
        recipe, variant = _network_of(self._claim)
        values = {"recipe": recipe, "variant": variant, **_params_of(self._claim)}
        flat = {name: _flat(each) for name, each in values.items() if each is not None}
        yield Event(summary=hparams(flat, {})[1])
        rows = "".join(f"| {name} | `{value}` |\n" for name, value in flat.items())
        table = f"job `{self._claim.job_id}`\n\n| parameter | value |\n| --- | --- |\n{rows}"
        yield Event(summary=text("parameters", table))

    def _append(self, content: bytes) -> None:
        if self._folder is None:
            self._folder = self._made_folder()
        with open_folder(self._root, self._folder) as folder:
            handle = os.open(self._name, _FLAGS, 0o644, dir_fd=folder)
            try:
                end = os.lseek(handle, 0, os.SEEK_END)
                if os.write(handle, content) < len(content):
                    # What comes after a part of a record could not be read.
                    os.ftruncate(handle, end)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._name)
            finally:
                os.close(handle)

    def _made_folder(self) -> str:
        # The name that the first attempt has given it: a job may be renamed.
        runs = tensorboard_path(self._claim.job_id)
        make_folders(self._root, runs)
        with open_folder(self._root, runs) as folder:
            present = sorted(name for name in os.listdir(folder) if not name.startswith("."))
        path = f"{runs}/{present[0] if present else _run_name(self._claim)}"
        make_folders(self._root, path)
        return path


class _Rate:
    """Which of many reports are written: ever fewer, so that no run fills the disk."""

    def __init__(self) -> None:
        self._seen, self._written, self._every = 0, 0, 1

    def takes(self) -> bool:
        self._seen += 1
        if self._seen % self._every:
            return False
        self._written += 1
        if self._written % FULL_RATE == 0:
            self._every *= 2
        return True


def _run_name(claim: Claim) -> str:
    name = _NAME.sub("-", claim.spec.name or "").strip("-.")[:60]
    return name or "-".join(_network_of(claim))


def _network_of(claim: Claim) -> tuple[str, str]:
    """Recipe and variant; of a search those of its supernet."""
    spec = claim.spec
    if isinstance(spec, SearchSpec):
        return spec.recipe or "", str(spec.variant or "")
    return claim.job_spec.network


def _params_of(claim: Claim) -> dict[str, Any]:
    spec = claim.spec
    if isinstance(spec, SearchSpec):
        return spec.params.model_dump(mode="json")
    return claim.job_spec.params


def _scalars(step: int, metrics: Mapping[str, Any]) -> Iterator[Event]:
    for name, value in metrics.items():
        if name != "samples" and isinstance(value, int | float) and not isinstance(value, bool):
            yield Event(step=step, summary=scalar(_TAGS.get(name, name), value))


def _of_validation(result: Mapping[str, Any]) -> dict[str, Any]:
    # The loss of an eval is called as the training's own is.
    return {"val_loss" if name == "loss" else name: value for name, value in result.items()}


def _flat(value: Any) -> str | int | float:
    return value if isinstance(value, str | int | float) else json.dumps(value, allow_nan=False)


def _record(event: Event, at: datetime) -> bytes:
    """An event as a record of TFRecord: its length and its bytes, each with a checksum."""
    event.wall_time = at.timestamp()
    content = event.SerializeToString()
    length = struct.pack("<Q", len(content))
    sums = (struct.pack("<I", masked_crc32c(part)) for part in (length, content))
    return b"".join((length, next(sums), content, next(sums)))
