"""What a search leaves as files: its table, as JSON and as CSV, and its pictures."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from service.contract.candidates import Candidate
from service.contract.checkpoints import FileDigest
from service.contract.csv_text import csv_text
from service.contract.flat_rows import CANDIDATE_COLUMNS
from service.contract.search_params import SearchParams
from workers.exchange.whole import whole_file
from workers.search.path_pictures import choices_png, front_png
from workers.search.picture import candidates_png

TABLE, ROWS = "search.json", "candidates.csv"
PICTURE, FRONT, CHOICES = "search.png", "front.png", "choices.png"


def write_search(
    folder: Path,
    table: Sequence[Candidate],
    best: Candidate,
    params: SearchParams,
    about: dict[str, Any],
    stages: Sequence[int],
) -> dict[str, Any]:
    """Write the files into a folder, which is made; their digests by name, as JSON.

    The candidates are in the order in which the search asked for them. `about` is in the JSON file,
    beside the parameters. `stages` are the places of each stage.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = sorted(table, key=lambda candidate: candidate.order)
    whole = {
        **about,
        "params": params.model_dump(mode="json"),
        "best": best.model_dump(mode="json"),
        "candidates": [candidate.model_dump(mode="json") for candidate in rows],
    }
    contents = {
        TABLE: json.dumps(whole, allow_nan=False, indent=1).encode(),
        ROWS: _csv(rows).encode(),
        PICTURE: candidates_png(rows, best, params),
        FRONT: front_png(rows, params, stages),
        CHOICES: choices_png(rows, params, stages),
    }
    return {name: _write(folder / name, body) for name, body in contents.items()}


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
