"""A training that is killed once and goes on, beside the same one that is left alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    until,
    validations,
)

KILLED_AFTER = 4
"""The step that the killed run has shown, after its first checkpoint."""


@dataclass(frozen=True)
class KilledRun:
    """What may not differ of both, and the step and the notes with which the killed one goes on."""

    left_alone: dict[str, Any]
    killed: dict[str, Any]
    resumed_at: int
    notes: list[str]


def killed_beside_left_alone(
    folder: Path, spec: dict[str, Any], *, ranks: int, train: int = 20
) -> KilledRun:
    """Both runs over `train` photos; each has ended well."""
    alone, killed = folder / "alone", folder / "killed"
    for volume in (alone, killed):
        draw_photos(volume, train=train)
    whole, first = attempt(alone, spec=spec), attempt(killed, spec=spec)
    assert ended(run(whole, ranks=ranks))["outcome"] == "succeeded"
    processes = start(first, ranks=ranks)
    until(lambda: bool(resumable(killed)) and shown_step(first) >= KILLED_AFTER, processes)
    kill(processes)
    second = attempt(killed, 2, spec=spec, resume=resumable(killed))
    events = run(second, ranks=ranks)
    return KilledRun(
        _series(alone, whole),
        _series(killed, first, second),
        resumed_at=events[0].body["step"],
        notes=[event.body["message"] for event in events if event.kind == "note"],
    )


def _series(volume: Path, *attempt_dirs: Any) -> dict[str, Any]:
    return {
        "losses": losses(*attempt_dirs),
        "validations": validations(*attempt_dirs),
        "final": final_digest(volume),
    }
