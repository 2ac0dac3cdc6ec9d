"""A run that is killed and started again is the run that was left alone, bit for bit."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.attempts import (
    attempt,
    draw_photos,
    ended,
    final_digest,
    kill,
    losses,
    resumable,
    run,
    shown_step,
    start,
    train_spec,
    until,
    validations,
    wait,
)
from chaos.kills import SPEC, Series, killed, series
from chaos.kills import left_alone as run_alone

pytestmark = pytest.mark.xdist_group("training")

# 20 images make two batches and a rest: most steps are in the middle of an epoch.
SPECS: dict[str, dict[str, Any]] = {
    "oneshot": SPEC,
    # One save in the middle: a whole state of this network takes 0.8 GB.
    "shufflenet_v2_large": train_spec(
        "shufflenet_v2_large", total_iters=5, save_interval=3, val_interval=100
    ),
}


@pytest.fixture(scope="module")
def left_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Recipe -> losses, validations and every tensor's digest of a run that nobody killed."""
    found: dict[str, Series] = {}

    def of(recipe: str) -> Series:
        if recipe not in found:
            volume = tmp_path_factory.mktemp(recipe)
            draw_photos(volume)
            found[recipe] = run_alone(volume, SPECS[recipe])
            shutil.rmtree(volume)
        return found[recipe]

    return of


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    draw_photos(tmp_path)
    yield tmp_path
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize(
    ("recipe", "saved", "seen", "data_workers"),
    [
        pytest.param("oneshot", 4, 5, 2, id="within an epoch, then with loader processes"),
        pytest.param("oneshot", 10, 11, 0, id="at the end of the iterations"),
        pytest.param("oneshot", 16, 17, 1, id="in the batch-norm phase"),
        pytest.param("shufflenet_v2_large", 3, 4, 1, id="with auxiliary heads and lighting"),
    ],
)
def test_a_killed_run_ends_as_the_run_left_alone(
    volume: Path, left_alone: Any, recipe: str, saved: int, seen: int, data_workers: int
) -> None:
    first = attempt(volume, spec=SPECS[recipe])
    processes = start(first)
    until(lambda: shown_step(first) >= seen and _saved(volume, saved), processes)
    kill(processes)
    params = SPECS[recipe]["params"] | {"data_workers": data_workers}
    spec = SPECS[recipe] | {"params": params}
    second = attempt(volume, 2, spec=spec, resume=resumable(volume))
    events = run(second)
    assert events[0].body["step"] >= saved
    assert ended(events)["outcome"] == "succeeded"
    assert series(volume, first, second) == left_alone(recipe)


def test_a_run_killed_at_three_random_moments_ends_as_the_run_left_alone(
    volume: Path, left_alone: Any
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 (shown when it fails)
    assert killed(volume, seed, SPECS["oneshot"]) == left_alone("oneshot"), f"seed {seed}"


def test_a_stop_cuts_a_validation_short_and_the_next_attempt_makes_up_for_it(
    tmp_path: Path,
) -> None:
    stopped, alone = tmp_path / "stopped", tmp_path / "alone"
    draw_photos(stopped, val=500)
    shutil.copytree(stopped, alone)
    spec = train_spec(total_iters=5, bn_recalibration_iters=1)
    whole, first = attempt(alone, spec=spec), attempt(stopped, spec=spec)
    run(whole)
    processes = start(first)
    # Three batches of validation follow the fourth step.
    until(lambda: shown_step(first) >= 4, processes)
    processes[0].terminate()
    wait(processes)
    assert ended(first.events_after(0))["outcome"] == "released"
    assert validations(first) == {}
    second = attempt(stopped, 2, spec=spec, resume=resumable(stopped))
    assert ended(run(second))["outcome"] == "succeeded"
    # The stopped run has a checkpoint more, of the step at which it was stopped.
    assert losses(first, second) == losses(whole)
    assert validations(first, second) == validations(whole)
    assert final_digest(stopped) == final_digest(alone)


def _saved(volume: Path, step: int) -> bool:
    return any(checkpoint.step >= step for checkpoint in resumable(volume))
