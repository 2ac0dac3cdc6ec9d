"""The files for TensorBoard, as TensorBoard itself reads them."""

import errno
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api_tests.support.claims import a_claim
from api_tests.support.event_files import points_of, read_run, runs_in
from service.volume.identity import SharedVolume
from workers.attempt_dir import AttemptDir
from workers.runs.confusion_picture import confusion_png
from workers.training import event_files
from workers.training.event_files import EventFiles
from workers.training.events import Events

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _files(volume: Path, attempt: int = 1, name: str = "first run!", **fields: Any) -> EventFiles:
    claim = a_claim(attempt=attempt, **fields)
    spec = claim.job_spec.model_copy(update={"name": name})
    return EventFiles(SharedVolume(volume), claim.model_copy(update={"spec": spec}))


def _start(files: EventFiles, step: int = 0) -> None:
    files.write("started", {"step": step, "total_steps": 100}, NOW)


def _train(files: EventFiles, *steps: int, loss: float = 0.5) -> None:
    for step in steps:
        metrics = {"loss": loss, "train_top1_error": 0.25, "learning_rate": 0.1}
        body = {"step": step, "images_per_second": 300.0, "metrics": metrics}
        files.write("progress", body, NOW)


def test_attempts_are_one_run_in_which_the_later_one_counts(tmp_path: Path) -> None:
    first = _files(tmp_path)
    _start(first)
    _train(first, 10, 20, 30, 40, loss=1.0)
    second = _files(tmp_path, attempt=2, name="renamed since")
    _start(second, step=20)
    _train(second, 30, 40, 50, loss=2.0)
    # The first is not dead yet.
    _train(first, 50, 60, loss=1.0)
    (run,) = runs_in(tmp_path)
    assert run == tmp_path / "jobs/job_1/tensorboard/first-run"
    expected = [(10, 1.0), (20, 1.0), (30, 2.0), (40, 2.0), (50, 2.0)]
    assert points_of(run, "loss/train") == expected


def test_an_attempt_from_the_start_again_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    first, second = _files(tmp_path), _files(tmp_path, attempt=2)
    _start(first)
    _train(first, 10, 20, 30)
    _start(second)
    _train(second, 10)
    assert points_of(runs_in(tmp_path)[0], "loss/train") == [(10, 0.5)]


def test_everything_that_is_measured_is_there_under_its_name(tmp_path: Path) -> None:
    files = _files(tmp_path)
    _start(files)
    _train(files, 10)
    measured = {"val_loss": 0.75, "top1_error": 0.5, "top5_error": 0.125, "samples": 360}
    files.write("metrics", {"step": 10, "metrics": measured}, NOW)
    files.write("note", {"message": "no measure"}, NOW)
    files.write("ended", {"outcome": "succeeded", "result": measured}, NOW)
    run = read_run(runs_in(tmp_path)[0])
    assert set(run.Tags()["scalars"]) == {
        *("loss/train", "top1_error/train", "learning_rate", "images_per_second"),
        *("loss/validation", "top1_error/validation", "top5_error/validation"),
    }
    assert run.Scalars("loss/validation")[0].wall_time == NOW.timestamp()
    text = run.Tensors("parameters/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| learning_rate | `0.05` |" in text
    hparams = run.summary_metadata["_hparams_/session_start_info"].plugin_data
    assert hparams.plugin_name == "hparams"
    assert b"learning_rate" in hparams.content
    assert "_hparams_/session_end_info" in run.summary_metadata


def test_the_confusion_of_an_eval_is_a_picture(tmp_path: Path) -> None:
    files = _files(tmp_path)
    _start(files)
    files.write_picture("confusion_matrix", *confusion_png(np.array([[9, 1], [0, 0]])), NOW)
    picture = read_run(runs_in(tmp_path)[0]).Images("confusion_matrix")[0]
    assert (picture.width, picture.height) == (320, 320)
    assert picture.encoded_image_string.startswith(b"\x89PNG")


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_record_that_a_kill_has_cut_costs_that_record_alone(tmp_path: Path, cut: int) -> None:
    files = _files(tmp_path)
    _start(files)
    _train(files, 10, 20)
    (file,) = (tmp_path / "jobs/job_1/tensorboard/first-run").iterdir()
    file.write_bytes(file.read_bytes()[:-cut])
    resumed = _files(tmp_path, attempt=2)
    _start(resumed, step=20)
    _train(resumed, 30)
    steps = [step for step, _ in points_of(runs_in(tmp_path)[0], "loss/train")]
    assert steps == [10, 20, 30]


def test_a_disk_that_is_full_for_a_while_leaves_a_gap_and_no_broken_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = _files(tmp_path)
    _start(files)
    _train(files, 10)
    with monkeypatch.context() as full:
        write = os.write
        full.setattr(event_files.os, "write", lambda handle, data: write(handle, data[:7]))
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            _train(files, 20)
    _train(files, 30)
    assert points_of(runs_in(tmp_path)[0], "loss/train") == [(10, 0.5), (30, 0.5)]


def test_a_run_goes_on_where_nothing_can_be_written_for_tensorboard(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    attempt_dir = AttemptDir(tmp_path / "attempt")
    attempt_dir.folder.mkdir()
    events = Events(attempt_dir, lambda: NOW, writes=True, mirror=_files(tmp_path / "not mounted"))
    for step in (1, 2, 3):
        events.report("metrics", {"step": step, "metrics": {"val_loss": 1.0}})
    events.close()
    assert len(attempt_dir.events_after(0)) == 3
    assert capfd.readouterr().out.count("nothing is written for TensorBoard now") == 1


def test_a_fault_in_the_files_for_tensorboard_ends_no_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def write(self, *_: object) -> None:
            raise ValueError("a bug")

        write_picture = write

    attempt_dir = AttemptDir(tmp_path)
    events = Events(attempt_dir, lambda: NOW, writes=True, mirror=Broken())
    events.report("note", {"message": "1"})
    events.report("note", {"message": "2"})
    events.pulse()
    events.close()
    assert len(attempt_dir.events_after(0)) == 2
    assert capfd.readouterr().err.count("ValueError: a bug") == 1


def test_a_run_of_very_many_reports_writes_ever_fewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_files, "FULL_RATE", 10)
    files = _files(tmp_path)
    _start(files)
    _train(files, *range(1, 101))
    steps = [step for step, _ in points_of(runs_in(tmp_path)[0], "loss/train")]
    assert steps[:10] == list(range(1, 11))
    assert len(steps) < 40
    assert steps[-1] > 90


@pytest.mark.parametrize(
    ("name", "run"), [("../../evil", "evil"), ("", "oneshot-searched"), ("é ü", "oneshot-searched")]
)
def test_a_name_makes_a_folder_of_the_job_and_no_other(tmp_path: Path, name: str, run: str) -> None:
    files = _files(tmp_path, name=name)
    _start(files)
    assert [each.name for each in (tmp_path / "jobs/job_1/tensorboard").iterdir()] == [run]
