"""Ranks compute alike: all of them compiled, or none, whichever of them has a compiler."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.attempts import attempt, draw_photos, ended, losses, run, train_spec
from api_tests.support.compiled_ranks import train_tiny
from api_tests.support.tiny_network import BATCH
from api_tests.support.tiny_training import CHANNELS_LAST, COMPILED
from workers.attempt_dir import AttemptDir
from workers.checkpoints.folder import checkpoints_in
from workers.checkpoints.snapshot import load
from workers.training.execution import Execution

pytestmark = pytest.mark.xdist_group("training")

PARAMS: dict[str, Any] = {
    "total_iters": 3,
    "save_interval": 2,
    "val_interval": 100,
    "batch_size": 2 * BATCH,
}


def _run(
    volume: Path, cache: Path, execution: Execution, failing: int | None = None, **params: Any
) -> tuple[AttemptDir, list[Any]]:
    draw_photos(volume)
    attempt_dir = attempt(volume, spec=train_spec(**PARAMS | params))
    before = partial(train_tiny, execution, str(cache), failing)
    return attempt_dir, run(attempt_dir, ranks=2, before=before)


def _notes(events: list[Any]) -> list[str]:
    return [event.body["message"] for event in events if event.kind == "note"]


def _executions(volume: Path) -> set[str]:
    """Those of all ranks, by their checkpoints."""
    folders = [folder for folder, manifest in checkpoints_in(volume) if manifest.phase != "final"]
    states = [rank for folder in folders for rank in load(folder).rank_states]
    return {str(Execution.from_json(rank["execution"])) for rank in states}


def test_ranks_are_compiled_together_or_eager_together(tmp_path: Path, compile_cache: Path) -> None:
    eager, _ = _run(tmp_path / "eager", compile_cache, CHANNELS_LAST)
    compiled, events = _run(tmp_path / "compiled", compile_cache, COMPILED)
    assert _notes(events) == []
    assert _executions(tmp_path / "compiled") == {str(COMPILED)}
    assert losses(compiled) == pytest.approx(losses(eager), rel=1e-5)
    failing, events = _run(tmp_path / "failing", compile_cache, COMPILED, failing=1)
    assert ended(events)["outcome"] == "succeeded"
    (note,) = _notes(events)
    assert "does not compile here: " in note
    assert "the run goes on eager" in note
    assert _executions(tmp_path / "failing") == {str(CHANNELS_LAST)}
    assert losses(failing) == losses(eager)


def test_under_compile_on_one_rank_that_does_not_compile_fails_the_job(
    tmp_path: Path, compile_cache: Path
) -> None:
    _, events = _run(tmp_path, compile_cache, COMPILED, failing=0, compile="on")
    assert (ended(events)["outcome"], ended(events)["reason"]) == ("failed", "invalid_data")
    assert "compile off avoids it" in ended(events)["message"]
