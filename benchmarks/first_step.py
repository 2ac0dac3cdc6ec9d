"""From the submission of a job to its first step, on a warm worker and on a cold one."""

import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from api_tests.support.installation import TRAIN, Installation, until
from benchmarks.ray_cluster import RayCluster, RayUnavailable, install_ray
from benchmarks.report import Figure, Section

COLD_GOAL, RAY_GOAL = 6.0, 10.0
_STEPPED = '"progress"'


@dataclass(frozen=True)
class Scale:
    """How many jobs are submitted to a warm worker, how many wait for a cold one, and Ray jobs."""

    warm: int = 7
    cold: int = 3
    ray: int = 3


def measure(scale: Scale = Scale()) -> Section:
    """Cold workers first, each of a folder of its own; then one warm worker."""
    with tempfile.TemporaryDirectory(prefix="first-step-") as folder:
        cold = [_cold(Path(folder, f"cold-{number}")) for number in range(scale.cold)]
        warm = _warm(Path(folder, "warm"), scale.warm)
        notes: list[str] = []
        ray = _ray(Path(folder, "ray"), scale.ray, notes) if scale.ray else []
    ways = {"warm worker": warm, "cold worker": cold, "Ray Jobs + Ray Train": ray}
    rows = tuple(
        (way, _s(median(times)), _s(min(times)), _s(max(times)))
        for way, times in ways.items()
        if times
    )
    for row in rows:
        sys.stderr.write(f"{' | '.join(row)}\n")
    return Section(
        title="From the submission to the first step",
        says=(
            "OneShot on the digits at 32 px, one training step reported by the rank in the "
            f"attempt's folder; {scale.warm} jobs on a warm worker one after the other, and "
            f"{scale.cold} that were queued when their worker was started. Over HTTP, with the "
            "control plane on the same cores. Ray's cluster runs before its "
            "jobs are submitted, and its first one is not counted."
        ),
        columns=("way", "median", "fastest", "slowest"),
        rows=rows,
        figures=_figures(cold, warm, ray),
        notes=tuple(notes),
    )


def _figures(cold: list[float], warm: list[float], ray: list[float]) -> tuple[Figure, ...]:
    own = median(warm)
    figures = [
        Figure(
            "cold_to_warm",
            "a cold worker's time to that of a warm one",
            median(cold) / own,
            "higher",
            goal=COLD_GOAL,
        ),
        Figure("warm", "a warm worker's first step", own, "lower", unit="s"),
    ]
    if ray:
        what = "Ray's time to that of a warm worker"
        figures.append(Figure("ray_to_warm", what, median(ray) / own, "higher", goal=RAY_GOAL))
    return tuple(figures)


def _cold(folder: Path) -> float:
    folder.mkdir()
    with closing(Installation(folder)) as installation:
        job = _submit(installation)
        began = time.perf_counter()
        installation.start_worker()
        return _first_step(installation, job, began)


def _ray(folder: Path, jobs: int, notes: list[str]) -> list[float]:
    """The seconds of each job but the first; none, and a note, where Ray cannot be had."""
    folder.mkdir()
    try:
        install_ray(folder / "packages")
        with closing(RayCluster(folder / "packages", folder)) as cluster:
            return [cluster.first_step() for _ in range(jobs + 1)][1:]
    except RayUnavailable as error:
        notes.append(f"Ray was not measured: {error}.")
        return []


def _warm(folder: Path, jobs: int) -> list[float]:
    folder.mkdir()
    seconds = []
    with closing(Installation(folder)) as installation:
        installation.start_worker()
        # The first job finds what the worker has to load once.
        for number in range(jobs + 1):
            began = time.perf_counter()
            job = _submit(installation)
            taken = _first_step(installation, job, began)
            _wait_for_end(installation, job)
            if number:
                seconds.append(taken)
    return seconds


def _wait_for_end(installation: Installation, job: str) -> None:
    until(lambda: installation.client.job(job).finished_at)


def _submit(installation: Installation) -> str:
    params = {
        "total_iters": 1,
        "batch_size": 2,
        "image_size": 32,
        "display_interval": 1,
        "bn_recalibration_iters": 0,
    }
    return installation.client.submit(TRAIN | {"params": params}).id


def _first_step(installation: Installation, job: str, began: float) -> float:
    events = installation.volume / "jobs" / job / "attempts" / "1" / "events.jsonl"
    while not (events.exists() and _STEPPED in events.read_text()):
        assert time.perf_counter() - began < 120, "waited 120 s for the first step"
        time.sleep(0.005)
    return time.perf_counter() - began


def _s(seconds: float) -> str:
    return f"{seconds:.2f} s"
