"""The classes of weights and of folders are matched by name, in whatever order both have them."""

import json
import shutil
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
    final_folder,
    resumable,
    run,
    train_spec,
)
from api_tests.support.originals import published
from service.contract.agent import ReportedEvent
from service.contract.checkpoints import Checkpoint
from service.contract.exchange import ImportRequest
from workers.checkpoints.folder import read_manifest
from workers.checkpoints.snapshot import load
from workers.checkpoints.upstream import write_weights
from workers.exchange.imports import import_file

pytestmark = pytest.mark.xdist_group("training")
FOLDERS, ROWS = ("1", "10", "2"), ("1", "2", "10")
HEAD = "classifier.0.weight"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume with a training of the folders 1, 2 and 10, which is done after its first steps."""
    volume = tmp_path_factory.mktemp("trained")
    draw_photos(volume, train=24, val=11, classes=FOLDERS)
    run(attempt(volume, spec=train_spec(bn_recalibration_iters=0)))
    return volume


@pytest.fixture
def volume(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "volume")


def in_other_order(volume: Path, class_names: tuple[str, ...] | None = ROWS) -> Checkpoint:
    """The trained weights with the rows of 1, 2, 10, imported with these names."""
    tensors = dict(load(final_folder(volume)).model)
    tensors[HEAD] = tensors[HEAD][[FOLDERS.index(name) for name in ROWS]]
    (volume / "imports").mkdir()
    write_weights(volume / "imports" / "rows.pth.tar", tensors)
    request = ImportRequest(file="rows.pth.tar", class_names=class_names, image_size=32)
    folder = volume / "imported"
    folder.mkdir()
    return as_checkpoint(volume, published(import_file(request, volume / "imports"), folder).folder)


def evaluated(volume: Path, weights: Checkpoint, **how: Any) -> list[ReportedEvent]:
    spec = {
        "kind": "eval",
        "recipe": "oneshot",
        "data": PHOTOS,
        "checkpoint": {"id": weights.id},
        "params": {},
    }
    return run(attempt(volume, job_id="job_2", spec=spec, weights=weights), **how)


def metrics_of(folder: Path) -> dict[str, float]:
    manifest = read_manifest(folder)
    assert manifest is not None
    return manifest.metrics


def notes(events: list[ReportedEvent]) -> list[str]:
    return [event.body["message"] for event in events if event.kind == "note"]


def rename(volume: Path, old: str, new: str) -> None:
    for split in ("train", "val"):
        (volume / split / old).rename(volume / split / new)


@pytest.mark.parametrize("ranks", [1, 2])
def test_an_eval_of_weights_with_rows_in_another_order_is_that_of_the_same_weights(
    volume: Path, ranks: int
) -> None:
    last = ended(evaluated(volume, in_other_order(volume), ranks=ranks))
    result = last["result"]
    measured = metrics_of(final_folder(volume))
    assert {name: result[name] for name in measured} == pytest.approx(measured)
    assert result["classes_matched_by"] == "name"
    file = volume / "jobs" / "job_2" / "attempts" / "1" / "files" / "evaluation.json"
    shown = json.loads(file.read_text())
    assert shown["class_names"] == list(ROWS)
    images = {row["class"]: row["samples"] for row in shown["per_class"]}
    assert images == {"1": 4, "2": 3, "10": 4}
    for wrong in shown["wrong"]:
        assert wrong["image"].startswith(f"{wrong['class']}/")


def test_an_eval_on_other_classes_names_the_difference(volume: Path) -> None:
    rename(volume, "1", "3")
    last = ended(evaluated(volume, as_checkpoint(volume, final_folder(volume))))
    assert (last["outcome"], last["reason"]) == ("failed", "incompatible_checkpoint")
    assert "the data lacks 1; 3 is new" in last["message"]


def test_an_eval_of_weights_without_names_says_that_it_matched_by_position(volume: Path) -> None:
    events = evaluated(volume, in_other_order(volume, None))
    assert ended(events)["result"]["classes_matched_by"] == "position"
    assert any("matched with them by position" in note for note in notes(events))


def test_an_eval_of_a_file_matches_the_names_beside_it(volume: Path) -> None:
    in_other_order(volume)
    (volume / "imports" / "rows.pth.tar.classes.txt").write_text("\n".join(ROWS))
    spec = {
        "kind": "eval",
        "recipe": "oneshot",
        "data": PHOTOS,
        "checkpoint": {"file": "rows.pth.tar"},
        "params": {"image_size": 32},
    }
    result = ended(run(attempt(volume, job_id="job_2", spec=spec)))["result"]
    measured = metrics_of(final_folder(volume))
    assert {name: result[name] for name in measured} == pytest.approx(measured)
    assert result["classes_matched_by"] == "name"


def test_a_training_from_weights_in_another_order_keeps_their_order(volume: Path) -> None:
    weights = in_other_order(volume)
    spec = train_spec(total_iters=1, bn_recalibration_iters=0, learning_rate=1e-9)
    spec["init_from"] = {"id": weights.id}
    last = ended(run(attempt(volume, job_id="job_2", spec=spec, weights=weights)))
    assert last["result"]["classes_matched_by"] == "name"
    before, after = load(volume / weights.path), load(final_folder(volume, "job_2"))
    assert after.manifest.class_names == ROWS
    assert torch.allclose(after.model[HEAD], before.model[HEAD])


def test_a_training_from_weights_of_other_classes_names_the_difference(volume: Path) -> None:
    rename(volume, "1", "cat")
    weights = as_checkpoint(volume, final_folder(volume))
    spec = train_spec() | {"init_from": {"id": weights.id}}
    last = ended(run(attempt(volume, job_id="job_2", spec=spec, weights=weights)))
    assert last["reason"] == "incompatible_checkpoint"
    assert "the data lacks 1; cat is new" in last["message"]
    assert 'say "head": "replace"' in last["message"]


@pytest.mark.parametrize("own", [True, False], ids=["its own state", "another job's state"])
def test_a_class_that_was_renamed_since_the_state_was_saved_is_refused_by_name(
    volume: Path, own: bool
) -> None:
    rename(volume, "1", "zebra")
    newest = resumable(volume)[0]
    if own:
        resumed = attempt(volume, 2, resume=(newest,))
    else:
        spec = train_spec(total_iters=30) | {"init_from": {"id": newest.id, "state": "full"}}
        resumed = attempt(volume, job_id="job_2", spec=spec, weights=newest)
    last = ended(run(resumed))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    assert "the data lacks 1; zebra is new" in last["message"]


def test_validation_folders_that_differ_are_named(volume: Path) -> None:
    (volume / "val" / "2").rename(volume / "val" / "3")
    last = ended(run(attempt(volume, job_id="job_2", spec=train_spec())))
    assert last["reason"] == "invalid_data"
    assert "val lacks 2; 3 is new" in last["message"]
