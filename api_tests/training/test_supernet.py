"""A supernet trains as any network: its paths are the same on each rank and after a kill."""

from pathlib import Path

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
)

pytestmark = pytest.mark.xdist_group("trainer: ranks")

FEW = {"validated_paths": 2, "validation_recalibration_batches": 1}


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_killed_supernet_ends_as_one_that_was_left_alone(tmp_path: Path, ranks: int) -> None:
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    spec = train_spec("supernet", batch_size=12, display_interval=2, **FEW)
    for volume in (alone, killed):
        draw_photos(volume, train=30)
    whole = attempt(alone, spec=spec)
    assert ended(run(whole, ranks=ranks))["outcome"] == "succeeded"
    first = attempt(killed, spec=spec)
    processes = start(first, ranks=ranks)
    until(lambda: bool(resumable(killed)) and shown_step(first) >= 4, processes)
    kill(processes)
    second = attempt(killed, 2, spec=spec, resume=resumable(killed))
    events = run(second, ranks=ranks)
    assert events[0].body["step"] >= 3
    assert not any(event.kind == "note" for event in events)
    assert losses(first, second) == losses(whole)
    assert validations(first, second) == validations(whole)
    assert final_digest(killed) == final_digest(alone)


def test_the_eval_of_a_supernet_says_that_it_is_many_networks(tmp_path: Path) -> None:
    spec = {
        "kind": "eval",
        "recipe": "supernet",
        "data": {"dataset": "digits"},
        "params": {"image_size": 32},
        "checkpoint": {"id": "ckpt_1"},
    }
    end = ended(run(attempt(tmp_path, spec=spec)))
    assert end["outcome"] == "failed"
    assert "supernet is many networks in one" in end["message"]
