"""Whether a training on a device that is killed and resumed is the one that nobody killed."""

import shutil
import tempfile
from pathlib import Path

from api_tests.support.attempts import draw_photos
from benchmarks.gpu.device import device, name_of
from benchmarks.report import Figure, Section
from chaos.kills import killed, left_alone

_SEEDS = (1, 2)


def measure() -> Section:
    """Runs that SIGKILL met three times each, beside one left alone."""
    folder = Path(tempfile.mkdtemp(prefix="resume-"))
    try:
        draw_photos(folder / "alone")
        expected = left_alone(folder / "alone")
        same = {}
        for seed in _SEEDS:
            draw_photos(folder / str(seed))
            same[seed] = killed(folder / str(seed), seed) == expected
    finally:
        shutil.rmtree(folder)
    return Section(
        title="Exact resume on a device",
        says=(
            f"{name_of(device())}; each run was killed three times and resumed. The loss of every "
            "step, every validation, all weights, momenta and generators are compared bit for bit."
        ),
        columns=("run", "equal to the one left alone"),
        rows=tuple((f"seed {seed}", "yes" if equal else "NO") for seed, equal in same.items()),
        figures=(
            Figure(
                "equal",
                "share of killed runs that end bit for bit as the one left alone",
                sum(same.values()) / len(same),
                "higher",
                goal=1.0,
            ),
        ),
    )
