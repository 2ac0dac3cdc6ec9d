"""The CPU time that a request costs the server, against a FastAPI application's constant answer."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from api_tests.support.server import Server
from benchmarks.databases import databases
from benchmarks.polled_server import ConstantServer, FilledJobs, Poll, PolledServer
from benchmarks.report import Figure, Section

CHANGED_GOAL, UNCHANGED_GOAL, PAGE_GOAL_MS = 1.7, 1.1, 4.0
_CONSTANT = Poll("/constant")
_ADMIN = "the-admins-own-token"
_LEAST_SECONDS = 1e-6
"""The clock of another process may be behind by a tick: a few requests may seem to cost nothing."""


@dataclass(frozen=True)
class Scale:
    """How much is measured: rounds of so many requests of each kind, and the jobs there are."""

    rounds: int = 20
    requests: int = 200
    changes: int = 10
    """Requests of a round for what changes before each."""
    jobs: int = 50


def measure(scale: Scale = Scale()) -> Section:
    """Both databases: every kind of request in turn with the constant, round by round."""
    folder = Path(tempfile.mkdtemp(prefix="polls-"))
    rows: list[tuple[str, ...]] = []
    figures: list[Figure] = []
    constants = {name: ConstantServer(name) for name in ("own", "h11")}
    try:
        for kind, url_of in databases(folder):
            for name in (kind, f"{kind}-tokens"):
                (folder / name).mkdir()
            with ExitStack() as stack:
                server = Server(folder / kind, database_url=url_of(scale.jobs))
                stack.callback(server.stop)
                jobs = FilledJobs(server, scale.jobs)
                stack.callback(jobs.close)
                guarded = stack.enter_context(
                    _guarded(folder / f"{kind}-tokens", url_of(scale.jobs + 1), scale)
                )
                costs = _costs(server, jobs, constants, guarded, scale)
            results, measured = _reported(kind, costs, scale)
            rows += results
            figures += measured
    finally:
        for each in constants.values():
            each.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return Section(
        title="What a request costs",
        says=(
            "CPU time of the server's process for one request, the median of "
            f"{scale.rounds} rounds, over connections that are kept: eight at once, and one where "
            f"what is read has changed before each request. {scale.jobs} jobs: a third each has "
            "ended, runs and waits. The constant is the smallest asynchronous route of FastAPI "
            "under the server's own HTTP connection; its row with h11 is uvicorn as it comes. By a "
            "token, or by a session of the page, the server knows who asks, and counts it. What "
            "has changed before each request is asked for over one connection, by processes that "
            "other work has put out of the processor's caches: the constant in the same way, after "
            "a change of the same job, is what it is compared with. "
            "A page that eight ask for at once is drawn for all of them; of eight different ones "
            "each is drawn."
        ),
        columns=("database", "request", "CPU", "to the constant"),
        rows=tuple(rows),
        figures=tuple(figures),
    )


def _costs(
    server: Server,
    jobs: FilledJobs,
    constants: dict[str, ConstantServer],
    guarded: dict[str, tuple[PolledServer, Poll]],
    scale: Scale,
) -> dict[str, float]:
    own = PolledServer(server.process.pid, server.url)
    job, page = f"/jobs/{jobs.running}", f"/jobs?limit={scale.jobs}"
    polls = {
        "constant": (constants["own"].polled, _CONSTANT),
        "constant, h11": (constants["h11"].polled, _CONSTANT),
        "constant, after a change elsewhere": (
            constants["own"].polled,
            Poll("/constant", before=lambda: jobs.change(1)),
        ),
        "GET /healthz": (own, Poll("/healthz")),
        "a running job, unchanged, 304": (own, Poll(job, unchanged=True)),
        "a running job, 200": (own, Poll(job)),
        "a running job, changed before each": (own, Poll(job, before=lambda: jobs.change(1))),
        "a waiting job, 200": (own, Poll(f"/jobs/{jobs.waiting}")),
        "a page of jobs": (own, Poll(page)),
        "pages of jobs, each another": (own, Poll(page, other_paths=_other_pages(scale.jobs))),
        "a page of jobs, changed before each": (own, Poll(page, before=jobs.change)),
        "GET /recipes": (own, Poll("/recipes")),
        **guarded,
    }
    spent: dict[str, list[float]] = {name: [] for name in polls}
    # The first round fills what the servers keep.
    for round_ in range(scale.rounds + 1):
        for name, (polled, poll) in polls.items():
            times = scale.requests if poll.before is None else scale.changes
            cost = polled.cpu_seconds(poll, times)
            if round_:
                spent[name].append(cost)
    return {name: max(median(each), _LEAST_SECONDS) for name, each in spent.items()}


@contextmanager
def _guarded(
    folder: Path, database_url: str, scale: Scale
) -> Iterator[dict[str, tuple[PolledServer, Poll]]]:
    """Polls of a server that knows tokens and counts what each sends, as many jobs with it."""
    server = Server(folder, database_url=database_url, token=_ADMIN, requests_per_minute="60000000")
    jobs = FilledJobs(server, scale.jobs, _ADMIN)
    try:
        with httpx.Client(
            base_url=server.url, headers={"Authorization": f"Bearer {_ADMIN}"}
        ) as http:
            body = {"name": "watcher", "role": "viewer"}
            secret = http.post("/tokens", json=body).raise_for_status().json()["secret"]
        login = httpx.post(f"{server.url}/session", json={"token": secret}).raise_for_status()
        token = {"Authorization": f"Bearer {secret}"}
        session = {"Cookie": login.headers["set-cookie"].partition(";")[0]}
        by_token, by_session = (
            PolledServer(server.process.pid, server.url, headers) for headers in (token, session)
        )
        job = f"/jobs/{jobs.running}"
        yield {
            "a running job, unchanged, 304, by a token": (by_token, Poll(job, unchanged=True)),
            "a running job, 200, by a token": (by_token, Poll(job)),
            "a running job, 200, by a session": (by_session, Poll(job)),
        }
    finally:
        jobs.close()
        server.stop()


def _other_pages(jobs: int) -> tuple[str, ...]:
    """Pages that have (nearly) as many jobs and are not the same: none is drawn for two callers."""
    filters = ("&kind=train", "&recipe=oneshot", "&kind=train&recipe=oneshot")
    limits = (f"/jobs?limit={jobs - less}" for less in range(1, 5))
    return (*(f"/jobs?limit={jobs}{each}" for each in filters), *limits)


def _reported(
    kind: str, costs: dict[str, float], scale: Scale
) -> tuple[list[tuple[str, ...]], list[Figure]]:
    constant = costs["constant"]
    rows: list[tuple[str, ...]] = [
        (kind, name, f"{cost * 1e3:.2f} ms", f"{cost / constant:.2f}")
        for name, cost in costs.items()
    ]
    for row in rows:
        sys.stderr.write(f"{' | '.join(row)}\n")
    page = f"{kind}, CPU of a page of {scale.jobs} jobs"
    drawn, unchanged, changed = (
        costs[f"a running job, {name}"] for name in ("200", "unchanged, 304", "changed before each")
    )
    by_token = costs["a running job, 200, by a token"] / constant
    changed /= costs["constant, after a change elsewhere"]
    figures = [
        Figure(
            key=f"{kind.lower()}.{key}",
            what=what,
            value=value,
            better="lower",
            unit=unit,
            goal=goal if kind == "SQLite" or key == "page_ms" else None,
        )
        for key, what, value, unit, goal in (
            ("job_ratio", f"{kind}, a job to the constant", drawn / constant, "", CHANGED_GOAL),
            ("token_job_ratio", f"{kind}, a job by a token", by_token, "", CHANGED_GOAL),
            ("changed_job_ratio", f"{kind}, changed before each", changed, "", CHANGED_GOAL),
            ("unchanged_ratio", f"{kind}, its 304", unchanged / constant, "", UNCHANGED_GOAL),
            ("page_ms", page, costs["pages of jobs, each another"] * 1e3, "ms", PAGE_GOAL_MS),
        )
    ]
    return rows, figures
