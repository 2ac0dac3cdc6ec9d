"""`trainyard search`, against a real server and a worker that a test plays."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.search_calls import begin, leave, tell, trained_supernet
from api_tests.support.searches import LEAST, MOST, PARAMS, SMALL, a_candidate, blocks_of

Run = Callable[..., Result]
NOBODY = ("--worker-label", "for=nobody")
"""No worker takes such a job."""


def params() -> list[str]:
    return [part for name, value in (PARAMS | SMALL).items() for part in ("-p", f"{name}={value}")]


def test_a_search_is_checked_and_begun_by_options(run: Run, agent: FakeAgent) -> None:
    checkpoint = trained_supernet(agent)
    dry = run("search", "create", checkpoint, "--dataset", "digits", *params(), "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "warning /params/holdout_every: the candidates are chosen by" in dry.stdout
    made = run(
        "search", "create", checkpoint, "--dataset", "digits", *params(), "--name", "paths", *NOBODY
    )
    assert made.exit_code == 0, made.output
    job = json.loads(run("show", made.stdout.strip(), "--json").stdout)
    assert (job["kind"], job["name"], job["spec"]["params"]["macs_limit"]) == (
        *("search", "paths"),
        MOST,
    )
    refused = run("search", "create", checkpoint, "--dataset", "digits", "-p", "macs_limit=5")
    assert refused.exit_code == 3
    assert "below the least possible" in refused.output
    copy = run("clone", made.stdout.strip(), "-p", "seed=3")
    assert copy.exit_code == 0, copy.output


def test_what_a_search_has_found_is_shown_listed_and_trained(run: Run, agent: FakeAgent) -> None:
    claim = begin(agent)
    search = claim["job_id"]
    tell(agent, claim, *map(a_candidate, range(3)))
    shown = run("search", "show", search).stdout
    assert "3 of 6 candidates" in shown
    assert f"best        {blocks_of(2)}" in shown
    assert f"of {LEAST / 1e6:,.2f} M to {MOST / 1e6:,.2f} M" in shown
    listed = run("search", "candidates", search, "--csv").stdout.splitlines()
    assert listed[0].startswith("order,generation,origin,blocks")
    assert [line.split(",")[0] for line in listed[1:]] == ["2", "1", "0"]
    trained = run("search", "train", search, "-p", "total_iters=7", "--name", "found", *NOBODY)
    assert trained.exit_code == 0, trained.output
    job = json.loads(run("show", trained.stdout.strip(), "--json").stdout)
    assert (job["variant"], job["parent_job_id"]) == (f"b{blocks_of(2)}", search)
    assert "has the path of" in run("lineage", job["id"]).stdout
    assert "its path is in" in run("lineage", search).stdout
    other = run("search", "train", search, "--blocks", "3" * 20)
    assert other.exit_code == 3
    assert "is no candidate of" in other.output


def test_what_a_search_has_left_is_downloaded(run: Run, agent: FakeAgent, tmp_path: Path) -> None:
    claim = begin(agent)
    early = run("search", "download", claim["job_id"])
    assert early.exit_code == 1
    assert "is running, and its result names no file" in early.output
    leave(agent, claim, {"front.png": b"strips", "choices.png": b"heat"})
    folder = tmp_path / "pictures"
    done = run("search", "download", claim["job_id"], "--to", str(folder))
    assert done.stdout.split() == [str(folder / "choices.png"), str(folder / "front.png")]
    assert (folder / "front.png").read_bytes() == b"strips"
    again = run("search", "download", claim["job_id"], "--to", str(folder), "--json")
    assert json.loads(again.stdout) == {
        "object": "files",
        "source": claim["job_id"],
        "files": [
            {"path": str(folder / "choices.png"), "bytes": 4},
            {"path": str(folder / "front.png"), "bytes": 6},
        ],
    }
    odd = os.fsdecode(bytes(tmp_path) + b"/\xff")
    told = json.loads(run("search", "download", claim["job_id"], "--to", odd, "--json").stdout)
    assert told["files"][0]["path"] == f"{tmp_path}/\\xff/choices.png"
