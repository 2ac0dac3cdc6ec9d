"""What a search leaves as files: its table, as JSON and as CSV, and its pictures."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from service.contract.candidate_ranks import front_of, generations_of
from service.contract.candidates import Candidate
from service.contract.checkpoints import FileDigest
from service.contract.csv_text import csv_text
from service.contract.flat_rows import CANDIDATE_COLUMNS
from service.contract.search_params import SearchParams
from workers.exchange.whole import whole_file
from workers.search.path_pictures import choices_png, front_png
from workers.search.picture import candidates_png, generations_png

TABLE, ROWS = "search.json", "candidates.csv"
PICTURE, GENERATIONS = "search.png", "generations.png"
FRONT, CHOICES = "front.png", "choices.png"


def write_search(
    folder: Path,
    table: Sequence[Candidate],
    best: Candidate,
    params: SearchParams,
    about: dict[str, Any],
    stages: Sequence[int],
    most_multiply_adds: int,
) -> dict[str, Any]:
    """Write the files into a folder, which is made; their digests by name, as JSON.

    The candidates are in the order in which the search asked for them. `about` is in the JSON file,
    beside the parameters. `stages` are the places of each stage, `most_multiply_adds` those of the
    dearest path that there is. Given candidates are of no generation, and have no picture of any.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = sorted(table, key=lambda candidate: candidate.order)
    whole = {
        **about,
        "params": params.model_dump(mode="json"),
        "best": best.model_dump(mode="json"),
        "front": _dumped(front_of(rows, params.fitness)),
        "generations": _dumped(generations_of(rows, params.fitness)),
        "candidates": _dumped(rows),
    }
    contents = {
        TABLE: json.dumps(whole, allow_nan=False, indent=1).encode(),
        ROWS: _csv(rows).encode(),
        PICTURE: candidates_png(rows, best, params, most_multiply_adds),
        FRONT: front_png(rows, params, stages),
        CHOICES: choices_png(rows, params, stages),
    }
    if params.candidates is None:
        contents[GENERATIONS] = generations_png(rows, params)
    return {name: _write(folder / name, body) for name, body in contents.items()}


def _dumped(models: Iterable[BaseModel]) -> list[dict[str, Any]]:
    return [each.model_dump(mode="json") for each in models]


def _csv(rows: Iterable[Candidate]) -> str:
    """A strip of blocks is text: a digit for each place, zeros before it included."""
    dumped = (candidate.model_dump() for candidate in rows)
    return csv_text(
        [CANDIDATE_COLUMNS, *([each[name] for name in CANDIDATE_COLUMNS] for each in dumped)]
    )


def _write(path: Path, body: bytes) -> dict[str, Any]:
    with whole_file(path) as partial:
        partial.write_bytes(body)
    return FileDigest(bytes=len(body), sha256=hashlib.sha256(body).hexdigest()).model_dump()
