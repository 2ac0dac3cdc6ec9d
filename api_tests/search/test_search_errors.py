"""What a search cannot be of: each with a sentence that says what to change."""

from pathlib import Path
from typing import Any

import pytest

from api_tests.support.attempts import (
    PHOTOS,
    as_checkpoint,
    attempt,
    draw_photos,
    ended,
    final_folder,
    run,
    train_spec,
)
from api_tests.support.digit_searches import DIGITS, TRAINING, TrainedSupernet
from service.contract.specs import SearchSpec
from workers.memory_advice import memory_advice

pytestmark = pytest.mark.xdist_group("training")


def failed(supernet: TrainedSupernet, spec: dict[str, Any], **claim: Any) -> tuple[str, str]:
    """The reason and the sentence with which a search fails."""
    end = ended(run(supernet.attempt(spec, supernet.new_job(), **claim)))
    assert end["outcome"] == "failed"
    return end["reason"], end["message"]


def test_a_network_that_is_no_supernet_is_not_searched(
    supernet: TrainedSupernet, tmp_path: Path
) -> None:
    draw_photos(tmp_path)
    training = train_spec(total_iters=1, bn_recalibration_iters=1)
    run(attempt(tmp_path, spec=training))
    own = as_checkpoint(tmp_path, final_folder(tmp_path))
    network = {"recipe": "oneshot", "variant": "searched", "training": training["params"]}
    spec = supernet.spec() | network | {"data": PHOTOS}
    last = ended(run(attempt(tmp_path, job_id="job_2", spec=spec, weights=own)))
    assert last["reason"] == "incompatible_checkpoint"
    assert "oneshot, which is no supernet: search one of a supernet" in last["message"]


def test_a_checkpoint_of_another_network_than_named_is_not_searched(
    supernet: TrainedSupernet,
) -> None:
    reason, message = failed(supernet, supernet.spec() | {"variant": "other"})
    assert reason == "incompatible_checkpoint"
    assert "the checkpoint is of supernet oneshot; the job names supernet other" in message


def test_a_checkpoint_that_is_gone_is_named(supernet: TrainedSupernet) -> None:
    reason, message = failed(supernet, supernet.spec(), weights=None)
    assert reason == "incompatible_checkpoint"
    assert "not there any more" in message


def test_changed_training_images_are_noticed_and_no_held_out_ones_of_them_are_taken(
    tmp_path: Path,
) -> None:
    draw_photos(tmp_path)
    params = TRAINING | {"batch_size": 4, "total_iters": 1, "holdout_every": 5}
    training = {"kind": "train", "recipe": "supernet", "data": PHOTOS, "params": params}
    trained = attempt(tmp_path, spec=training)
    run(trained)
    supernet = TrainedSupernet(tmp_path, trained.assignment().claim.job_spec.params)
    few = {"recalibration_batches": 1, "recalibration_batch_size": 4, "candidates": ["0" * 20]}
    spec = supernet.spec(**few) | {"data": PHOTOS}
    assert ended(run(supernet.attempt(spec, supernet.new_job())))["outcome"] == "succeeded"
    photo = next((tmp_path / "train" / "cat").iterdir())
    photo.with_name(f"0{photo.name}").write_bytes(photo.read_bytes())
    reason, message = failed(supernet, spec)
    assert reason == "invalid_data"
    assert "17 images, not 16" in message
    assert "use holdout_every 0, for the validation split" in message
    judged = supernet.spec(**few, holdout_every=0) | {"data": PHOTOS}
    events = run(supernet.attempt(judged, supernet.new_job()))
    assert ended(events)["outcome"] == "succeeded"
    notes = [event.body["message"] for event in events if event.kind == "note"]
    assert any("are not those that the supernet has seen" in note for note in notes)


def test_data_of_other_classes_are_told_apart(supernet: TrainedSupernet) -> None:
    draw_photos(supernet.volume, train=40)
    reason, message = failed(supernet, supernet.spec() | {"data": PHOTOS})
    assert reason == "incompatible_checkpoint"
    assert "the data lacks 10 classes" in message
    assert "search them on the data that the supernet was trained with" in message


def test_images_that_the_supernet_was_trained_with_are_not_those_of_the_fitness(
    supernet: TrainedSupernet,
) -> None:
    reason, message = failed(supernet, supernet.spec(holdout_every=25))
    assert reason == "invalid_data"
    assert "holdout_every is 25, and the supernet was trained with 0" in message
    assert "leave it out, for the validation split" in message


def test_a_limit_below_the_cheapest_path_names_it(supernet: TrainedSupernet) -> None:
    reason, message = failed(supernet, supernet.spec(macs_limit=1000))
    assert reason == "invalid_data"
    assert "use at least 6026944" in message


def test_more_images_in_a_batch_than_there_are_say_how_many_fit(supernet: TrainedSupernet) -> None:
    reason, message = failed(supernet, supernet.spec(recalibration_batch_size=1438))
    assert reason == "invalid_data"
    assert "1438 is more than the 1437 training images: use at most 1437" in message


def test_parameters_of_a_training_that_are_none_are_named(supernet: TrainedSupernet) -> None:
    training = supernet.training | {"choices": ["9"] * 20}
    reason, message = failed(supernet, supernet.spec() | {"training": training})
    assert reason == "invalid_data"
    assert "choices" in message


def test_a_candidate_that_is_no_path_is_named(supernet: TrainedSupernet) -> None:
    reason, message = failed(supernet, supernet.spec(candidates=["0123"]))
    assert reason == "invalid_data"
    assert "0123 of candidates is no path: blocks must have 20 digits" in message


def test_without_parameters_of_the_training_those_of_its_recipe_are_taken_and_told(
    supernet: TrainedSupernet,
) -> None:
    spec = supernet.spec(candidates=["0" * 20]) | {"training": {}}
    events = run(supernet.attempt(spec, supernet.new_job()))
    assert ended(events)["outcome"] == "succeeded"
    notes = [event.body["message"] for event in events if event.kind == "note"]
    assert any("the supernet's training are not known" in note for note in notes)


def test_a_search_that_ran_out_of_memory_is_told_what_takes_less() -> None:
    spec = SearchSpec.model_validate({"checkpoint": {"job": "job_1"}, "data": DIGITS})
    assert "a smaller fitness_images or recalibration_batch_size, or use a worker" in memory_advice(
        spec
    )
