"""`python -m api_tests.journeys.chaos [--minutes N] [--seed S]`: jobs in a storm, and the proof.

Round after round of forty jobs on three workers, each in a yard of its own, until the time is over;
the history of each stays in a folder that is named at the end when a promise was broken.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api_tests.journeys.history import History, broken_promises
from api_tests.journeys.proxy import STORM, Proxy
from api_tests.journeys.storm import Storm
from api_tests.journeys.yards import Yard
from service.client import TrainyardClient, TrainyardError
from service.contract.jobs import ENDED_JOBS

SERVER = "api_tests.journeys.clocked_server"
SEEDS = (1, 2)
SPEC: dict[str, Any] = {
    "kind": "train",
    "recipe": "shufflenet_v2",
    "variant": "0.5x",
    "data": {"dataset": "digits"},
    "max_failures": 100,
    "retention": {"keep_last": 2, "keep_best": 0},
    "params": {
        "total_iters": 60,
        "batch_size": 16,
        "image_size": 32,
        "learning_rate": 0.05,
        "val_interval": 60,
        "save_interval": 6,
        "display_interval": 6,
    },
}
WINDOWS = {
    "HEARTBEAT_SECONDS": 0.4,
    "START_SECONDS": 6.0,
    "UNREACHABLE_SECONDS": 1.5,
    "SELF_END_SECONDS": 4.0,
    "KILL_GRACE_SECONDS": 1.5,
    "REASSIGN_SECONDS": 6.0,
    "RETRY_BACKOFF_SECONDS": 1.5,
    "STALL_SECONDS": 20.0,
}
DISK_MEGABYTES_PER_JOB = 24
LONGEST_GAP_SECONDS = 1.5
LONGEST_CALM_SECONDS = 120.0


@dataclass(frozen=True)
class Round:
    """What a round came to: the history, what it broke, and how the jobs ended."""

    history: History
    problems: list[str]
    ends: list[str]
    attempts: int

    def __str__(self) -> str:
        ends = ", ".join(f"{self.ends.count(end)} {end}" for end in sorted(set(self.ends)))
        faults = ", ".join(f"{n} x {name}" for name, n in sorted(self.history.faults().items()))
        hurt = self.history.of("calm")[-1]["replies_hurt"]
        return f"{ends} in {self.attempts} attempts; {hurt} replies hurt, {faults}"


def one_round(folder: Path, seed: int, *, jobs: int, storm_seconds: float) -> Round:
    """Run `jobs` in a storm until all have ended, and look for broken promises."""
    rng = random.Random(seed)
    history = History(folder / "history.jsonl")
    history.note("began", seed=seed, jobs=jobs)
    (folder / "volume").mkdir()
    with _small_disk(folder / "volume", jobs * DISK_MEGABYTES_PER_JOB) as disk:
        if disk is None:
            history.note("skipped", what="a full disk", why="nothing may be mounted here")
        clock = folder / "clock"
        settings = {name: str(value) for name, value in WINDOWS.items()}
        yard = Yard(folder, server=SERVER, **settings, CLOCK=str(clock))
        proxy = Proxy(yard.port, rng)
        reassign = WINDOWS["REASSIGN_SECONDS"]
        storm = Storm(yard, proxy, history, rng, clock=clock, disk=disk, reassign_seconds=reassign)
        try:
            undisturbed = _run_undisturbed(yard, history)
            _run_in_storm(yard, proxy, storm, history, jobs, storm_seconds)
            problems = broken_promises(history, yard.client, yard.volume, undisturbed)
            ended = list(yard.client.jobs())
        finally:
            storm.calm()
            yard.close()
            proxy.close()
    ends = [f"{job.state} ({job.reason})" for job in ended]
    history.note("ended", problems=problems)
    return Round(history, problems, ends, sum(job.attempt for job in ended))


def _run_undisturbed(yard: Yard, history: History) -> dict[int, str]:
    ids = {seed: _submit(yard.client, history, seed) for seed in SEEDS}
    for job_id in ids.values():
        job = yard.client.wait(job_id, timeout_seconds=120, poll_seconds=0.1)
        assert (job.state, job.attempt) == ("succeeded", 1), job.message
    return {seed: yard.final_digest(job_id) for seed, job_id in ids.items()}


def _run_in_storm(
    yard: Yard, proxy: Proxy, storm: Storm, history: History, jobs: int, storm_seconds: float
) -> None:
    proxy.weather = STORM
    # Submitted through the proxy too: an acknowledgement that got lost must make no second job.
    with TrainyardClient(proxy.url, timeout_seconds=5.0) as client:
        ids = [_submit(client, history, SEEDS[number % len(SEEDS)]) for number in range(jobs)]

    def all_ended() -> bool:
        try:
            return all(yard.client.job(job_id).state in ENDED_JOBS for job_id in ids)
        except TrainyardError:
            return False

    deadline = time.monotonic() + storm_seconds
    storm.rage(lambda: time.monotonic() > deadline or all_ended(), LONGEST_GAP_SECONDS)
    storm.calm()
    # What has not ended by then is a broken promise, and the checker says so.
    deadline = time.monotonic() + LONGEST_CALM_SECONDS
    while time.monotonic() < deadline and not all_ended():
        time.sleep(0.1)


def _submit(client: TrainyardClient, history: History, seed: int) -> str:
    key = f"{seed}-{len(history.moments)}"
    spec = SPEC | {"params": SPEC["params"] | {"seed": seed}}
    while True:
        try:
            job_id = client.submit(spec, key=key).id
        except TrainyardError:
            continue
        history.note("acknowledged", job_id=job_id, seed=seed)
        return job_id


@contextmanager
def _small_disk(folder: Path, megabytes: int) -> Iterator[Path | None]:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def main() -> int:
    """0 if no promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m api_tests.journeys.chaos")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=40)
    chosen = parser.parse_args()
    # Asked to end, it ends what it started, as at a Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began, seed, broken = time.monotonic(), chosen.seed, 0
    while time.monotonic() - began < chosen.minutes * 60:
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        done = one_round(folder, seed, jobs=chosen.jobs, storm_seconds=3.0 * chosen.jobs)
        minutes = (time.monotonic() - began) / 60
        sys.stdout.write(f"{minutes:.1f} min, seed {seed}: {done}\n")
        for problem in done.problems:
            sys.stdout.write(f"  BROKEN: {problem}\n")
        if done.problems:
            sys.stdout.write(f"  the history and the logs are in {folder}\n")
        else:
            shutil.rmtree(folder)
        sys.stdout.flush()
        broken += len(done.problems)
        seed += 1
    sys.stdout.write(f"{seed - chosen.seed} rounds, {broken} broken promises\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
