"""A round of chaos: jobs under injected faults, and the proof that none was lost."""

import random
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api_tests.support.installation import Installation
from chaos.fault_injector import FaultInjector
from chaos.history import History
from chaos.jobs import LONG, SHORT, SUPERNET, a_search, seed_of, table_of
from chaos.journal import Journal
from chaos.proof import Checker, Outcome, Proof
from chaos.proxy import LOSSY, Proxy
from chaos.searches import SearchCounts
from chaos.users import Users
from chaos.writes import Leases
from service.client import TrainyardClient, TrainyardError
from service.contract.jobs import ENDED_JOBS

SERVER = "chaos.server"
WINDOWS = {
    "HEARTBEAT_SECONDS": 0.4,
    "START_SECONDS": 6.0,
    "UNREACHABLE_SECONDS": 1.5,
    "SELF_END_SECONDS": 6.0,
    "KILL_GRACE_SECONDS": 1.5,
    "REASSIGN_SECONDS": 10.0,
    "RETRY_BACKOFF_SECONDS": 1.5,
    "STALL_SECONDS": 20.0,
    "TIDY_SECONDS": 1.0,
}
# Far more than is kept, so that it is full when it is filled, and at no other time.
DISK_MEGABYTES_PER_JOB = 64
LONGEST_GAP_SECONDS = 1.5
LONGEST_END_SECONDS = 120.0
LEAST_FAULTS = 3
"""A server takes many seconds to start again where the machine is busy."""


@dataclass(frozen=True)
class Round:
    """The result of a round: its history, the promises it broke, and how the jobs ended."""

    history: History
    proof: Proof
    ends: list[str]
    attempts: int
    searches: SearchCounts

    @property
    def poisoned(self) -> int:
        """How many jobs ended as poison; the proof shows for each that it had to."""
        return sum("poison" in end for end in self.ends)

    def __str__(self) -> str:
        ends = ", ".join(f"{self.ends.count(end)} {end}" for end in sorted(set(self.ends)))
        counts = sorted(self.history.fault_counts().items())
        faults = ", ".join(f"{n} x {name}" for name, n in counts)
        faulty = self.history.of("stopped")[-1]["faulty_replies"]
        late = self.proof.late_seconds
        longest = f", at most {max(late):.1f} s" if late else ""
        return (
            f"{ends} in {self.attempts} attempts, of which {len(late)} wrote on in their own "
            f"folders after they were superseded{longest}; {self.searches}; {faulty} replies "
            f"delayed, cut or dropped, {faults}"
        )


def one_round(folder: Path, seed: int, *, jobs: int, fault_seconds: float) -> Round:
    """Run `jobs` under injected faults until all have ended, and look for broken promises."""
    history = History(folder / "history.jsonl")
    history.note("began", seed=seed, jobs=jobs)
    (folder / "volume").mkdir()
    clock, journal = folder / "clock", folder / "journal.jsonl"
    settings = {name: str(value) for name, value in WINDOWS.items()}
    settings |= {"CLOCK": str(clock), "JOURNAL": str(journal)}
    reassign = WINDOWS["REASSIGN_SECONDS"]
    leases = Leases(WINDOWS["SELF_END_SECONDS"], WINDOWS["KILL_GRACE_SECONDS"])
    with _small_disk(folder / "volume", jobs * DISK_MEGABYTES_PER_JOB) as disk:
        if disk is None:
            history.note("skipped", what="a full disk", why="nothing may be mounted here")
        installation = Installation(folder, server=SERVER, **settings)
        proxy = Proxy(installation.port, random.Random(seed))
        injector = FaultInjector(
            installation,
            proxy,
            history,
            seed,
            clock=clock,
            disk=disk,
            reassign_seconds=reassign,
        )
        try:
            undisturbed = _run_undisturbed(installation, history, [SUPERNET])
            [supernet] = installation.client.jobs()
            search = a_search(supernet.id)
            undisturbed |= _run_undisturbed(installation, history, [SHORT, LONG, search])
            kinds = [SHORT, SHORT, search, LONG]
            specs = [kinds[number % len(kinds)] for number in range(jobs)]
            _run_with_faults(installation.client, proxy, injector, history, specs, fault_seconds)
            checker = Checker(
                history,
                installation.client,
                installation.volume,
                Journal(journal),
                leases,
                undisturbed,
            )
            proof, ended = checker.proof(), list(installation.client.jobs())
        finally:
            injector.undo_faults()
            installation.close()
            proxy.close()
    ends = [f"{job.state} ({job.reason})" for job in ended]
    history.note("ended", problems=proof.problems)
    searches = SearchCounts.of(ended, undisturbed=1)
    return Round(history, proof, ends, sum(job.attempt for job in ended), searches)


def _run_undisturbed(
    installation: Installation, history: History, specs: Sequence[dict[str, Any]]
) -> dict[int, Outcome]:
    # On a busy machine one may be given back once, for a lease of seconds: if its weights were not
    # those of a run in one piece, the others would not have the same.
    client = installation.client
    outcomes: dict[int, Outcome] = {}
    for job_id in [_submit(client, history, spec) for spec in specs]:
        job = client.wait(job_id, timeout_seconds=120, poll_seconds=0.1)
        assert job.state == "succeeded", job.message
        digest = installation.final_digest(job_id)
        outcomes[seed_of(job)] = Outcome(digest, table_of(client, job))
    return outcomes


def _run_with_faults(
    client_without_faults: TrainyardClient,
    proxy: Proxy,
    injector: FaultInjector,
    history: History,
    specs: Sequence[dict[str, Any]],
    fault_seconds: float,
) -> None:
    proxy.faults = LOSSY
    # Submitted through the proxy too: an acknowledgement that got lost must make no second job.
    with TrainyardClient(proxy.url, timeout_seconds=5.0) as client:
        for spec in specs:
            _submit(client, history, spec)
        users = Users(client, history, random.Random(len(specs)))
        end_of_faults = time.monotonic() + fault_seconds

        def is_enough() -> bool:
            has_faults = sum(history.fault_counts().values()) >= LEAST_FAULTS
            is_late = time.monotonic() > end_of_faults
            return (has_faults and is_late) or _all_ended(client_without_faults)

        injector.inject(is_enough, LONGEST_GAP_SECONDS, users.actions)
        injector.undo_faults()
        # What has not ended by then is a broken promise, and the checker says so.
        deadline = time.monotonic() + LONGEST_END_SECONDS
        while time.monotonic() < deadline and not _all_ended(client_without_faults):
            users.resume_jobs()
            time.sleep(0.2)


def _all_ended(client: TrainyardClient) -> bool:
    try:
        return all(job.state in ENDED_JOBS for job in client.jobs())
    except TrainyardError:
        return False


def _submit(client: TrainyardClient, history: History, spec: dict[str, Any]) -> str:
    key = f"{spec['params']['seed']}-{len(history.moments)}"
    while True:
        try:
            job_id = client.submit(spec, key=key).id
        except TrainyardError:
            continue
        history.note("acknowledged", job_id=job_id, seed=spec["params"]["seed"])
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
