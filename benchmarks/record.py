"""What each benchmark measured last, in a JSON file beside the page."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from benchmarks.machine import Machine
from benchmarks.report import Figure, Section


@dataclass(frozen=True)
class Record:
    """A run of one benchmark: when, how, where, with what versions, and what it reported."""

    date: datetime
    command: str
    seconds: float
    machine: Machine
    versions: dict[str, str]
    section: Section


class UnreadableRecords(Exception):
    """A file that is no record of benchmarks; its text says what is wrong."""


Records = Mapping[str, Record]
"""Name of a benchmark -> its last run."""

_FILE = TypeAdapter(dict[str, Record])


def read(path: Path) -> dict[str, Record]:
    """All records of a file; raises UnreadableRecords."""
    try:
        return _FILE.validate_json(path.read_bytes())
    except OSError as error:
        raise UnreadableRecords(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        text = f"{path} is no record of benchmarks: {where}: {first['msg']}"
        raise UnreadableRecords(text) from error


def read_if_any(path: Path) -> dict[str, Record]:
    """All records of a file, none where there is no file; raises UnreadableRecords."""
    return read(path) if path.exists() else {}


def write(path: Path, records: Records) -> None:
    """The file with these records, by name; each figure says whether its goal was met."""
    content = _FILE.dump_python(dict(sorted(records.items())), mode="json")
    for name, record in records.items():
        figures = content[name]["section"]["figures"]
        for drawn, figure in zip(figures, record.section.figures, strict=True):
            drawn["is_met"] = figure.is_met
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def figures(records: Records) -> dict[str, Figure]:
    """All figures by `benchmark.key`."""
    return {
        f"{name}.{figure.key}": figure
        for name, record in records.items()
        for figure in record.section.figures
    }
