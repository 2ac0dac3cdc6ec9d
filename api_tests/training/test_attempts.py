"""Attempts in real folders: trained, killed, resumed, evaluated."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from service.contract.agent import Claim, Lease, ReportedEvent
from service.contract.checkpoints import Checkpoint, attempt_path
from service.contract.jobs import JobSpec
from workers.checkpoints.folder import checkpoints_in, latest_in, verify
from workers.mailbox import Assignment, Mailbox

PARAMS = {
    "total_iters": 12,
    "batch_size": 16,
    "image_size": 32,
    "learning_rate": 0.05,
    "val_interval": 6,
    "save_interval": 4,
    "display_interval": 2,
    "bn_recalibration_iters": 4,
}


def _attempt(volume: Path, number: int, **claim: Any) -> Mailbox:
    spec = claim.pop("spec", None) or {
        "kind": "train",
        "recipe": "oneshot",
        "data": {"dataset": "digits"},
        "params": PARAMS,
    }
    job_id = claim.pop("job_id", "job_1")
    mailbox = Mailbox(volume / attempt_path(job_id, number))
    lease = Lease(heartbeat_seconds=1, self_end_seconds=10, kill_grace_seconds=1)
    mailbox.put(
        Assignment(
            claim=Claim(
                job_id=job_id,
                attempt=number,
                token="secret",
                spec=JobSpec.model_validate(spec),
                lease=lease,
                **claim,
            ),
            volume=volume,
            data_root=volume,
            import_root=volume,
        )
    )
    return mailbox


def _start(mailbox: Mailbox) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "workers.training", str(mailbox.spec_path)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )


def _run(mailbox: Mailbox) -> list[ReportedEvent]:
    process = _start(mailbox)
    assert process.wait(timeout=120) == 0
    return mailbox.events_after(0)


def _resumable(volume: Path) -> tuple[Checkpoint, ...]:
    return tuple(
        _as_checkpoint(volume, folder)
        for folder, manifest in reversed(checkpoints_in(volume))
        if manifest.phase != "final"
    )


def _as_checkpoint(volume: Path, folder: Path) -> Checkpoint:
    ((_, manifest),) = checkpoints_in(folder)
    return Checkpoint(
        id=manifest.checkpoint_id,
        bytes=0,
        path=str(folder.relative_to(volume)),
        **manifest.model_dump(
            include={"job_id", "attempt", "recipe", "variant", "step", "phase", "created_at"}
            | {"files"}
        ),
    )


def _final_digest(volume: Path) -> str:
    (final,) = [m for _, m in checkpoints_in(volume) if m.phase == "final"]
    return final.files["model.safetensors"].sha256


def _wait_for_checkpoint(volume: Path, step: int) -> None:
    deadline = time.monotonic() + 60
    while not any(m.step >= step for _, m in checkpoints_in(volume)):
        assert time.monotonic() < deadline, "no checkpoint in 60 s"
        time.sleep(0.01)


def test_a_killed_run_ends_with_the_weights_of_a_run_left_alone(tmp_path: Path) -> None:
    left_alone, killed = tmp_path / "alone", tmp_path / "killed"
    _run(_attempt(left_alone, 1))
    process = _start(_attempt(killed, 1))
    _wait_for_checkpoint(killed, 4)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not any(m.phase == "final" for _, m in checkpoints_in(killed))
    events = _run(_attempt(killed, 2, resume=_resumable(killed)))
    assert events[0].kind == "started"
    assert events[0].body["step"] >= 4
    assert _final_digest(killed) == _final_digest(left_alone)


def test_a_stopped_run_saves_and_is_continued_to_the_same_weights(tmp_path: Path) -> None:
    process = _start(mailbox := _attempt(tmp_path / "a", 1))
    _wait_for_checkpoint(tmp_path / "a", 4)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    ended = mailbox.events_after(0)[-1]
    assert (ended.kind, ended.body["outcome"]) == ("ended", "released")
    # The last checkpoint is damaged: the run goes back to the one before it, and says so.
    newest = tmp_path / "a" / _resumable(tmp_path / "a")[0].path / "model.safetensors"
    content = newest.read_bytes()
    newest.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    events = _run(_attempt(tmp_path / "a", 2, resume=_resumable(tmp_path / "a")))
    assert events[0].kind == "damaged"
    _run(_attempt(tmp_path / "b", 1))
    assert _final_digest(tmp_path / "a") == _final_digest(tmp_path / "b")


def test_a_trained_checkpoint_is_evaluated_to_the_metrics_it_was_saved_with(
    tmp_path: Path,
) -> None:
    trained = _run(_attempt(tmp_path, 1))[-1].body
    assert trained["outcome"] == "succeeded"
    final = latest_in(tmp_path)
    assert final is not None
    assert final.name == "final-000000016"
    assert verify(final) == []
    spec = {
        "kind": "eval",
        "recipe": "oneshot",
        "data": {"dataset": "digits"},
        "params": {"image_size": 32},
        "checkpoint": {"id": trained["result"]["checkpoint_id"]},
    }
    weights = _as_checkpoint(tmp_path, final)
    evaluated = _run(_attempt(tmp_path, 1, job_id="job_2", spec=spec, weights=weights))[-1].body
    assert evaluated["outcome"] == "succeeded"
    for name in ("loss", "top1_error", "top5_error", "samples"):
        assert evaluated["result"][name] == trained["result"][name]


def test_a_batch_larger_than_the_data_fails_with_what_to_change(tmp_path: Path) -> None:
    spec = {
        "kind": "train",
        "recipe": "oneshot",
        "data": {"dataset": "digits"},
        "params": PARAMS | {"batch_size": 5000},
    }
    ended = _run(_attempt(tmp_path, 1, spec=spec))[-1].body
    assert (ended["outcome"], ended["reason"]) == ("failed", "invalid_data")
    assert "use at most 1437" in ended["message"]
    assert checkpoints_in(tmp_path) == []
