from typing import Any

from api_tests.support.manifests import a_checkpoint, a_manifest
from service.contract.checkpoints import Checkpoint
from service.contract.specs import Retention
from service.domain.retention import best_of, surplus


def newest_first(*errors: float | None, **fields: Any) -> list[Checkpoint]:
    """Checkpoints with these errors, the last of them the newest."""
    made = [
        a_checkpoint(a_manifest("job_1", step, metrics=_measured(error)), **fields)
        for step, error in enumerate(errors, start=1)
    ]
    return made[::-1]


def _measured(error: float | None) -> dict[str, float]:
    return {} if error is None else {"top1_error": error}


def expired(
    checkpoints: list[Checkpoint], in_use: tuple[str, ...] = (), **retention: int
) -> list[int]:
    return [c.step for c in surplus(checkpoints, Retention.model_validate(retention), in_use)]


def test_the_newest_stay() -> None:
    assert expired(newest_first(*[None] * 5), keep_last=2, keep_best=0) == [3, 2, 1]


def test_the_best_stays_however_old_it_is() -> None:
    assert expired(newest_first(0.1, 0.5, 0.4, 0.3, 0.2), keep_last=2, keep_best=1) == [3, 2]


def test_of_two_equally_good_ones_the_newer_is_the_best() -> None:
    assert best_of(newest_first(0.1, 0.1, 0.2), "top1_error")[0].step == 2


def test_what_was_not_measured_is_never_the_best() -> None:
    assert [c.step for c in best_of(newest_first(None, 0.3, None), "top1_error")] == [2]


def test_a_pinned_one_stays() -> None:
    assert expired(newest_first(*[None] * 4, pinned=True), keep_last=2, keep_best=0) == []


def test_what_a_live_job_uses_stays() -> None:
    checkpoints = newest_first(*[None] * 4)
    used = checkpoints[-1].id
    assert expired(checkpoints, in_use=(used,), keep_last=2, keep_best=0) == [2]


def test_final_weights_stay_and_take_no_place_of_the_newest() -> None:
    final = a_checkpoint(a_manifest("job_1", 9, phase="final"))
    checkpoints = [final, *newest_first(*[None] * 3)]
    assert expired(checkpoints, keep_last=2, keep_best=0) == [1]


def test_nothing_goes_while_there_are_few() -> None:
    assert expired(newest_first(0.3, 0.2), keep_last=2, keep_best=0) == []
