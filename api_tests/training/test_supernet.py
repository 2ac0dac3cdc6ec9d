"""A supernet trains as any network: its paths are the same on each rank and after a kill."""

from pathlib import Path

import pytest

from api_tests.support.attempts import (
    attempt,
    ended,
    run,
    train_spec,
)
from api_tests.support.killed_run import killed_beside_left_alone

pytestmark = pytest.mark.xdist_group("trainer: ranks")

FEW = {"validated_paths": 2, "validation_recalibration_batches": 1}


@pytest.mark.parametrize(
    ("recipe", "ranks"), [("supernet", 1), ("supernet", 2), ("detnas_supernet_300M", 1)]
)
def test_a_killed_supernet_ends_as_one_that_was_left_alone(
    tmp_path: Path, recipe: str, ranks: int
) -> None:
    spec = train_spec(recipe, batch_size=12, display_interval=2, **FEW)
    both = killed_beside_left_alone(tmp_path, spec, ranks=ranks, train=30)
    assert both.resumed_at >= 3
    assert both.notes == []
    assert both.killed == both.left_alone


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
