"""Trainings, evals and checks of packed data, as attempts."""

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from api_tests.support.attempts import (
    PHOTOS,
    as_checkpoint,
    attempt,
    draw_many,
    draw_photos,
    ended,
    final_digest,
    final_folder,
    kill,
    losses,
    resumable,
    run,
    shown_step,
    start,
    train_spec,
    until,
    wait,
)
from workers.data.packs.builder import PackBuilder
from workers.data.packs.encoding import Storage
from workers.data.packs.originals import Originals

PACKED = {"packed": "photos.pack"}


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    draw_photos(tmp_path)
    builder = PackBuilder(
        Originals(tmp_path, ""), Storage("original", 320, 90), tmp_path / "photos.pack"
    )
    builder.build(1, lambda *_: None)
    return tmp_path


def test_a_killed_training_from_a_pack_ends_as_one_from_the_folders(volume: Path) -> None:
    whole = attempt(volume, job_id="job_2", spec=train_spec())
    assert ended(run(whole))["outcome"] == "succeeded"
    spec = train_spec() | {"data": PACKED}
    first = attempt(volume, spec=spec)
    processes = start(first)
    until(lambda: shown_step(first) >= 5 and bool(resumable(volume)), processes)
    kill(processes)
    spec["params"] = spec["params"] | {"data_workers": 1}
    second = attempt(volume, 2, spec=spec, resume=resumable(volume))
    events = run(second)
    assert ended(events)["outcome"] == "succeeded"
    assert events[0].body["step"] >= 3
    assert losses(first, second) == losses(whole)
    assert final_digest(volume) == final_digest(volume, "job_2")


def test_an_eval_of_a_pack_has_the_mistakes_of_the_folders_with_their_previews(
    volume: Path,
) -> None:
    run(attempt(volume, spec=train_spec(total_iters=2, bn_recalibration_iters=1)))
    weights = as_checkpoint(volume, final_folder(volume))
    spec: dict[str, Any] = {
        "kind": "eval",
        "recipe": "oneshot",
        "params": {"image_size": 32},
        "checkpoint": {"id": weights.id},
    }
    reports = []
    for number, data in enumerate((PHOTOS, PACKED)):
        made = attempt(
            volume, job_id=f"job_{number + 2}", spec=spec | {"data": data}, weights=weights
        )
        assert ended(run(made))["outcome"] == "succeeded"
        reports.append(json.loads((made.folder / "files/evaluation.json").read_text()))
    assert reports[0] == reports[1]
    assert all(each["preview"] for each in reports[1]["wrong"])


def test_a_damaged_pack_ends_the_job_with_what_to_do(volume: Path) -> None:
    body = bytearray((volume / "photos.pack").read_bytes())
    body[5000] ^= 1
    (volume / "photos.pack").write_bytes(body)
    result = ended(run(attempt(volume, spec=train_spec() | {"data": PACKED})))
    assert (result["outcome"], result["reason"]) == ("failed", "invalid_data")
    assert "photos.pack is damaged at cat/00.png" in result["message"]
    assert "copy the pack again" in result["message"]


def test_a_check_reports_every_problem_as_its_result_and_as_a_file(volume: Path) -> None:
    (volume / "train/cat/00.png").write_bytes(b"no picture")
    (volume / "val/bird").mkdir()
    made = attempt(volume, spec={"kind": "check_data", "data": PHOTOS, "batch_size": 64})
    events = run(made)
    result = ended(events)["result"]
    assert ended(events)["outcome"] == "succeeded"
    assert (result["ok"], result["problems_total"]) == (False, 4)
    written = json.loads((made.folder / "files/data_report.json").read_text())
    assert written["problems"] == result["problems"]
    assert "batch_size 64" in " ".join(problem["text"] for problem in result["problems"])
    assert "progress" in [event.kind for event in events]


def test_a_check_that_is_stopped_gives_the_job_back_and_leaves_no_file_and_no_process(
    volume: Path,
) -> None:
    draw_many(volume, count=40)
    made = attempt(volume, spec={"kind": "check_data", "data": PHOTOS})
    processes = start(made)
    until(lambda: shown_step(made) > 0, processes)
    (rank,) = [psutil.Process(process.pid) for process in processes]
    readers = rank.children(recursive=True)
    rank.terminate()
    wait(processes)
    result = ended(made.events_after(0))
    assert (result["outcome"], result["reason"]) == ("released", "released")
    assert "stopped in a check of data, as asked; it begins again" in result["message"]
    assert not any(reader.is_running() for reader in readers)
    assert not (made.folder / "files").exists()
