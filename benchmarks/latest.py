"""`GET /checkpoints/latest` with a million checkpoints, against a thousand, on both databases."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Connection, insert, text

from api_tests.support.manifests import a_checkpoint, a_manifest
from benchmarks.databases import databases
from benchmarks.report import Figure, Section
from service.contract.catalog import builtin_catalog
from service.control.checkpoints import index
from service.store.checkpoint_search import CheckpointFilter
from service.store.checkpoint_tables import checkpoints as table
from service.store.engine import Database
from service.store.migrate import upgrade

LIMIT = 1.2
_OF_JOB, _CHUNK = 20, 10_000
_START = datetime(2026, 1, 1, tzinfo=UTC)

Ask = Callable[[Connection], object]
FORMS: dict[str, Ask] = {
    "latest": lambda tx: index.latest(tx, CheckpointFilter()),
    "latest of a job": lambda tx: index.latest(tx, CheckpointFilter(job="job_0000003")),
    "latest of a recipe": lambda tx: index.latest(tx, CheckpointFilter(recipe="oneshot")),
    "latest of a variant": lambda tx: index.latest(
        tx, CheckpointFilter(recipe="shufflenet_v2", variant="1.0x")
    ),
    "best": lambda tx: index.best(tx, CheckpointFilter(), "top1_error", highest=False),
    "best of a recipe": lambda tx: index.best(
        tx, CheckpointFilter(recipe="oneshot"), "top1_error", highest=False
    ),
    "page by step": lambda tx: index.page(tx, CheckpointFilter(order_by="-step")),
}
"""The use cases behind the routes: HTTP around them would only hide a difference."""


@dataclass(frozen=True)
class Scale:
    """How much is measured: two indexes, and how often each question is asked."""

    few: int = 1_000
    many: int = 1_000_000
    rounds: int = 600


def measure(scale: Scale = Scale()) -> Section:
    """Fill four databases, then ask the small and the large one in turn."""
    folder = Path(tempfile.mkdtemp(prefix="latest-"))
    rows: list[tuple[str, ...]] = []
    worst = 1.0
    try:
        for kind, url_of in databases(folder):
            few, many = (_filled(Database(url_of(size)), size) for size in (scale.few, scale.many))
            for name, ask in FORMS.items():
                small, large = _in_turn(few, many, ask, scale.rounds)
                ratio = large / small
                if name.startswith("latest"):
                    worst = max(worst, ratio)
                rows.append(
                    (kind, name, f"{small * 1e6:.0f} µs", f"{large * 1e6:.0f} µs", f"{ratio:.2f}")
                )
                sys.stderr.write(f"{' '.join(rows[-1])}\n")
            few.close()
            many.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Section(
        title="The latest checkpoint of a million",
        says=f"The median of {scale.rounds} calls, the two sizes asked in turn.",
        columns=("database", "question", f"{scale.few:,} rows", f"{scale.many:,} rows", "ratio"),
        rows=tuple(rows),
        figures=(
            Figure(
                key="worst_ratio",
                what="the largest ratio of a form of latest",
                value=worst,
                better="lower",
                goal=LIMIT,
            ),
        ),
    )


def _filled(database: Database, size: int) -> Database:
    with database.migrate() as tx:
        upgrade(tx)
        rows = _rows(size)
        while chunk := list(islice(rows, _CHUNK)):
            tx.execute(insert(table), chunk)
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
            tx.execute(text("VACUUM ANALYZE checkpoints"))
    return database


def _rows(size: int) -> Iterator[dict[str, Any]]:
    networks = [(r.name, variant) for r in builtin_catalog().recipes for variant in r.variants]
    digest = {"bytes": 1000, "sha256": "ab" * 32}
    files = {"model.safetensors": digest, "optim.safetensors": digest, "rank-0.json": digest}
    template = a_manifest("job", 1, files=files)
    like = a_checkpoint(template).model_dump(exclude={"object", "files", "manifest"})
    manifest = template.model_dump(mode="json")
    for number in range(size):
        job, step = divmod(number, _OF_JOB)
        recipe, variant = networks[job % len(networks)]
        # No order of theirs is the order of insertion.
        error = (number * 7919 % 1_000_003) / 1_000_003
        yield like | {
            "id": f"ckpt_{number * 104_729 % 15_485_863:08d}",
            "job_id": f"job_{job:07d}",
            "recipe": recipe,
            "variant": variant,
            "step": step * 1000 + job % 1000,
            "is_final": False,
            "created_at": _START + timedelta(seconds=number * 613 % 999_983),
            "manifest": manifest,
            # Retention has removed most, as it would have.
            "state": "published" if step >= _OF_JOB - 5 else "purged",
            "loss": 3 * error,
            "top1_error": error,
            "top5_error": error / 2,
        }


def _in_turn(few: Database, many: Database, ask: Ask, rounds: int) -> tuple[float, float]:
    seconds: dict[Database, list[float]] = {few: [], many: []}
    warm = rounds // 10
    for round_ in range(rounds + warm):
        for database in (few, many):
            began = time.perf_counter()
            with database.read() as tx:
                assert ask(tx)
            if round_ >= warm:
                seconds[database].append(time.perf_counter() - began)
    return median(seconds[few]), median(seconds[many])
