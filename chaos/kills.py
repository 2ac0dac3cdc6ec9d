"""A training killed three times at random moments, and what is compared with one left alone.

`python -m chaos.kills 100` does it a hundred times, with a seed each.
"""

import hashlib
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import safetensors.numpy

from api_tests.support.attempts import (
    attempt,
    draw_photos,
    ended,
    final_folder,
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
from workers.attempt_dir import AttemptDir
from workers.checkpoints.folder import verify

ITERATIONS, RECALIBRATION = 10, 30
SPEC = train_spec(
    total_iters=ITERATIONS,
    save_interval=4,
    bn_recalibration_iters=RECALIBRATION,
    preprocessing="bgr_normalized",
)
"""20 images make two batches and a rest: most steps are in the middle of an epoch."""

Series = dict[str, Any]


def series(volume: Path, *attempt_dirs: AttemptDir) -> Series:
    """Everything by which two runs could differ.

    The loss of each step, each validation, and the sha256 of every tensor of the final weights and
    of the last training state with its momentum and generators.
    """
    last = volume / resumable(volume)[0].path
    final = final_folder(volume)
    assert verify(last) == verify(final) == []
    return {
        "losses": losses(*attempt_dirs),
        "validations": validations(*attempt_dirs),
        "final": _tensors(final / "model.safetensors"),
        "state": (last.name, _tensors(last / "model.safetensors")),
        "momentum": _tensors(last / "optim.safetensors"),
        "rank": (last / "rank-0.json").read_text(),
    }


def left_alone(volume: Path, spec: Any = SPEC) -> Series:
    """Of a run that nobody killed."""
    attempt_dir = attempt(volume, spec=spec)
    last = ended(run(attempt_dir))
    assert last["outcome"] == "succeeded", last
    return series(volume, attempt_dir)


def killed(volume: Path, seed: int, spec: Any = SPEC) -> Series:
    """Of a run that SIGKILL met three times: after a step drawn from the seed, and some time."""
    drawn = random.Random(seed)
    attempt_dirs = []
    for number, step in enumerate(sorted(drawn.choices(range(28), k=3)), start=1):
        attempt_dirs.append(attempt(volume, number, spec=spec, resume=resumable(volume)))
        processes = start(attempt_dirs[-1])
        until(lambda step=step: shown_step(attempt_dirs[-1]) >= step, processes)  # type: ignore[misc]
        # Anywhere in the steps that follow, and in the writing of a checkpoint.
        time.sleep(drawn.uniform(0, 0.04))
        kill(processes)
    attempt_dirs.append(attempt(volume, 4, spec=spec, resume=resumable(volume)))
    assert ended(run(attempt_dirs[-1]))["outcome"] == "succeeded", f"seed {seed}"
    return series(volume, *attempt_dirs)


def _tensors(file: Path) -> dict[str, str]:
    loaded = safetensors.numpy.load_file(file)
    return {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in loaded.items()}


def main(runs: int, first_seed: int) -> int:
    """So many runs; how many differed."""
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    expected: Series = {}
    different = 0
    try:
        for seed in (None, *range(first_seed, first_seed + runs)):
            volume = folder / str(seed)
            draw_photos(volume)
            if seed is None:
                expected = left_alone(volume)
            else:
                same = killed(volume, seed) == expected
                different += not same
                sys.stdout.write(f"seed {seed}: {'the same' if same else 'DIFFERENT'}\n")
                sys.stdout.flush()
            shutil.rmtree(volume)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(f"{runs - different} of {runs} runs ended as the run left alone\n")
    return different


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(min(main(arguments[0], arguments[1] if arguments[1:] else 1), 1))
