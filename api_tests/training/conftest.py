"""Fixtures: a folder for what is compiled, and runs of the tiny network that choose."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.attempts import attempt
from api_tests.support.tiny_network import CLASSES, TINY
from api_tests.support.tiny_training import ALONE, NOW, PARAMS, tiny_state
from workers.training import execution as executions
from workers.training.events import Events
from workers.training.execution import Execution
from workers.training.execution_choice import Choice, choose
from workers.training.run_context import RunContext
from workers.training.time_account import TimeAccount


@pytest.fixture(scope="session")
def compile_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for XDG_CACHE_HOME that all tests of a session share, those of xdist too."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled"
    root.mkdir(exist_ok=True)
    return root


@pytest.fixture
def compile_cache(compile_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process and its children find what other tests have compiled."""
    folder = compile_root / "trainyard" / "inductor"
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(folder))
    # Else each process that compiles starts others, which import torch again.
    monkeypatch.setenv("TORCHINDUCTOR_COMPILE_THREADS", "1")
    monkeypatch.setattr(executions, "_CACHE_OF_USER", str(folder))
    return folder


@pytest.fixture
def tiny_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """`(clock, stop_asked, now, **params)`: the context of a run of the tiny network; all notes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = attempt(tmp_path / "volume")
    notes: list[str] = []
    events = Events(folder, lambda: None, writes=False)  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(events, "note", notes.append)

    def of(
        clock: Any = None,
        stop_asked: Callable[[], bool] = lambda: False,
        now: datetime = NOW,
        **params: Any,
    ) -> tuple[RunContext, list[str]]:
        context = RunContext(
            assignment=folder.assignment(),
            attempt_folder=folder.folder,
            ranks=ALONE,
            events=events,
            stop_asked=stop_asked,
            clock=clock or (lambda: pytest.fail("a short run, or one that is known, was measured")),
            now=lambda: now,
            new_id=lambda: "ckpt_1",
            times=TimeAccount(lambda: 0.0),
        )
        context.__dict__.update(recipe=TINY, params=PARAMS.model_copy(update=params))
        return context, notes

    yield of
    events.close()


@pytest.fixture
def choosing(tiny_run: Callable[..., Any]) -> Callable[..., tuple[Choice, list[str]]]:
    """`(saved, clock, stop_asked, **params)`: the choice of such a run, and its notes."""

    def of(saved: Execution | None = None, **how: Any) -> tuple[Choice, list[str]]:
        context, notes = tiny_run(**how)
        state = tiny_state(params=context.params)
        return choose(context, state, classes=CLASSES, saved=saved), notes

    return of
