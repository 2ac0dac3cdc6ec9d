"""Where an eval or a training gets its weights from: a trained checkpoint, a published file."""

import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import torch

from api_tests.support.attempts import (
    PHOTOS,
    as_checkpoint,
    attempt,
    draw_photos,
    ended,
    final_digest,
    final_folder,
    run,
    train_spec,
)
from service.contract.checkpoints import Checkpoint
from workers.checkpoints.folder import checkpoints_in
from workers.checkpoints.snapshot import load
from workers.checkpoints.upstream import write_weights

pytestmark = pytest.mark.xdist_group("training")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume with a finished `job_1`, its final weights also as `imports/final.pth.tar`."""
    volume = tmp_path_factory.mktemp("trained")
    draw_photos(volume)
    run(attempt(volume, spec=train_spec(preprocessing="bgr_normalized")))
    (volume / "imports").mkdir()
    write_weights(volume / "imports" / "final.pth.tar", load(final_folder(volume)).model)
    return volume


@pytest.fixture
def volume(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "volume")


def _eval(
    volume: Path, ref: dict[str, Any], weights: Checkpoint | None = None, **params: Any
) -> Any:
    spec = {
        "kind": "eval",
        "recipe": "oneshot",
        "data": PHOTOS,
        "checkpoint": ref,
        "params": params,
    }
    return attempt(volume, job_id="job_2", spec=spec, weights=weights)


def _validated(volume: Path) -> dict[str, float]:
    ((_, manifest),) = checkpoints_in(final_folder(volume))
    return manifest.metrics


def test_an_eval_uses_the_preprocessing_and_the_size_its_weights_were_trained_with(
    volume: Path,
) -> None:
    weights = as_checkpoint(volume, final_folder(volume))
    last = ended(run(_eval(volume, {"id": weights.id}, weights)))
    result = last["result"]
    assert (result["image_size"], result["preprocessing"]) == (32, "bgr_normalized")
    assert {name: result[name] for name in _validated(volume)} == _validated(volume)


def test_an_eval_at_another_size_than_the_recipes_gets_that_size(volume: Path) -> None:
    weights = as_checkpoint(volume, final_folder(volume))
    last = ended(run(_eval(volume, {"id": weights.id}, weights, image_size=64)))
    assert last["result"]["image_size"] == 64


def test_a_file_is_evaluated_like_the_checkpoint_it_came_from(volume: Path) -> None:
    params = {"image_size": 32, "preprocessing": "bgr_normalized"}
    last = ended(run(_eval(volume, {"file": "final.pth.tar"}, **params)))
    assert {name: last["result"][name] for name in _validated(volume)} == _validated(volume)


def test_a_damaged_checkpoint_is_not_evaluated_and_the_failure_says_so(volume: Path) -> None:
    weights = as_checkpoint(volume, final_folder(volume))
    with (final_folder(volume) / "model.safetensors").open("ab") as file:
        file.write(b"\0")
    events = run(_eval(volume, {"id": weights.id}, weights))
    assert events[0].kind == "damaged"
    assert events[0].body["checkpoint_id"] == weights.id
    last = ended(events)
    assert last["reason"] == "incompatible_checkpoint"
    assert "final-000000012 is damaged: model.safetensors has" in last["message"]


def _missing(volume: Path) -> str:
    (volume / "imports" / "final.pth.tar").unlink()
    return "final.pth.tar: there is no such file below the import root"


def _link_out(volume: Path) -> str:
    (volume / "imports" / "final.pth.tar").replace(volume / "outside.pth.tar")
    (volume / "imports" / "final.pth.tar").symlink_to(volume / "outside.pth.tar")
    return "final.pth.tar leads out of the import root"


def _link_to_itself(volume: Path) -> str:
    (volume / "imports" / "final.pth.tar").unlink()
    (volume / "imports" / "final.pth.tar").symlink_to("final.pth.tar")
    return "'final.pth.tar' has a link that leads back to itself"


def _folder(volume: Path) -> str:
    (volume / "imports" / "final.pth.tar").unlink()
    (volume / "imports" / "final.pth.tar").mkdir()
    return "final.pth.tar is a folder: name a file in it"


def _text(volume: Path) -> str:
    (volume / "imports" / "final.pth.tar").write_text("<html>404</html>")
    return "final.pth.tar is not a file of weights"


@pytest.mark.parametrize("change", [_missing, _link_out, _link_to_itself, _folder, _text])
def test_a_file_that_is_no_weights_below_the_import_root_is_named(
    volume: Path, change: Any
) -> None:
    message = change(volume)
    last = ended(run(_eval(volume, {"file": "final.pth.tar"}, image_size=32)))
    assert (last["outcome"], last["reason"]) == ("failed", "incompatible_checkpoint")
    assert message in last["message"]


def test_an_eval_on_other_classes_says_how_many_there_are(volume: Path) -> None:
    shutil.copytree(volume / "val" / "cat", volume / "val" / "cow")
    last = ended(run(_eval(volume, {"file": "final.pth.tar"}, image_size=32)))
    assert last["reason"] == "incompatible_checkpoint"
    assert "the weights have 2 classes, the data has 3" in last["message"]


def test_an_eval_of_another_recipes_checkpoint_says_which_it_is(volume: Path) -> None:
    weights = as_checkpoint(volume, final_folder(volume))
    attempt_dir = attempt(
        volume,
        job_id="job_2",
        spec={
            "kind": "eval",
            "recipe": "shufflenet_v2",
            "variant": "1.0x",
            "data": PHOTOS,
            "checkpoint": {"id": weights.id},
        },
        weights=weights,
    )
    assert "the checkpoint is of oneshot searched" in ended(run(attempt_dir))["message"]


@pytest.mark.parametrize(("head", "outcome"), [("keep", "failed"), ("replace", "succeeded")])
def test_a_training_on_other_classes_needs_a_new_head(
    volume: Path, head: str, outcome: str
) -> None:
    for split in ("train", "val"):
        shutil.copytree(volume / split / "cat", volume / split / "cow")
    spec = train_spec(total_iters=1, bn_recalibration_iters=0)
    spec["init_from"] = {"file": "final.pth.tar", "head": head}
    last = ended(run(attempt(volume, job_id="job_2", spec=spec)))
    assert last["outcome"] == outcome
    if outcome == "failed":
        assert last["reason"] == "incompatible_checkpoint"
        assert 'say "head": "replace" in init_from' in last["message"]


def _step(volume: Path, step: int) -> Checkpoint:
    folder = volume / "jobs" / "job_1" / "attempts" / "1" / f"step-{step:09d}"
    return as_checkpoint(volume, folder)


def test_a_full_state_is_trained_on_as_the_job_it_came_from_would_have(volume: Path) -> None:
    weights = _step(volume, 3)
    spec = train_spec(preprocessing="bgr_normalized")
    spec["init_from"] = {"id": weights.id, "state": "full"}
    attempt_dir = attempt(volume, job_id="job_2", spec=spec, weights=weights)
    events = run(attempt_dir)
    started = events[0].body
    assert (started["step"], started["resumed_from"]) == (3, weights.id)
    assert final_digest(volume, "job_2") == final_digest(volume)
    ((_, first), *_) = checkpoints_in(volume / "jobs" / "job_2")
    assert first.parent_checkpoint == weights.id


@pytest.mark.parametrize("step", [8, 9])
def test_a_full_state_of_the_last_iteration_or_after_it_is_finished_as_its_job_would_have(
    volume: Path, step: int
) -> None:
    weights = _step(volume, step)
    spec = train_spec(preprocessing="bgr_normalized")
    spec["init_from"] = {"id": weights.id, "state": "full"}
    events = run(attempt(volume, job_id="job_2", spec=spec, weights=weights))
    assert events[0].body["step"] == step
    assert ended(events)["outcome"] == "succeeded"
    assert final_digest(volume, "job_2") == final_digest(volume)


def test_a_full_state_with_nothing_left_to_train_says_what_to_change(volume: Path) -> None:
    weights = _step(volume, 6)
    spec = train_spec(total_iters=5) | {"init_from": {"id": weights.id, "state": "full"}}
    last = ended(run(attempt(volume, job_id="job_2", spec=spec, weights=weights)))
    assert last["reason"] == "incompatible_checkpoint"
    assert "set a larger total_iters" in last["message"]


def test_an_interrupted_job_resumes_its_own_state_and_not_its_first_weights(volume: Path) -> None:
    spec = train_spec(preprocessing="bgr_normalized") | {"init_from": {"file": "gone.pth.tar"}}
    events = run(attempt(volume, 2, spec=spec, resume=(_step(volume, 6),)))
    assert events[0].body["step"] == 6
    assert ended(events)["outcome"] == "succeeded"


def test_weights_that_are_not_there_fail_the_training(volume: Path) -> None:
    spec = train_spec() | {"init_from": {"job": "job_0"}}
    last = ended(run(attempt(volume, job_id="job_2", spec=spec)))
    assert (last["outcome"], last["reason"]) == ("failed", "incompatible_checkpoint")


def test_a_file_of_another_program_is_evaluated_like_the_checkpoint_it_came_from(
    volume: Path,
) -> None:
    weights = load(final_folder(volume)).model
    wrapped = {f"_orig_mod.{name}": tensor for name, tensor in weights.items()}
    doubled = {name: 2 * tensor for name, tensor in weights.items()}
    content = {"model": wrapped, "model_ema": doubled, "args": Namespace(lr=0.1)}
    torch.save(content, volume / "imports" / "last.ckpt")
    params = {"image_size": 32, "preprocessing": "bgr_normalized"}
    events = run(_eval(volume, {"file": "last.ckpt"}, **params))
    result = ended(events)["result"]
    assert {name: result[name] for name in _validated(volume)} == _validated(volume)
    notes = [event.body["message"] for event in events if event.kind == "note"]
    assert any("under model are taken; the file also has some under model_ema" in n for n in notes)
