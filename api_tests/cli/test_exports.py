"""Commands that give their table to another program: CSV on stdout, or a file."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest
from click.testing import Result
from typer.testing import CliRunner

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.sampled_workers import SAMPLE, beat, write_samples
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.cli import app
from service.context import AppContext
from service.contract.checkpoints import job_files_path
from service.contract.flat_rows import JOB_COLUMNS
from service.store.engine import Database

EVALUATION = {
    "class_names": ["=cat", "dog"],
    "confusion_matrix": [[3, 1], [0, 4]],
    "per_class": [
        {"class": "=cat", "samples": 4, "correct": 3, "accuracy": 0.75},
        {"class": "dog", "samples": 4, "correct": 4, "accuracy": 1.0},
    ],
}


@pytest.fixture
def context(sqlite: Database, tmp_path: Path) -> AppContext:
    return server_context(sqlite, tmp_path, Clock())


@pytest.fixture
def agent(context: AppContext) -> Iterator[FakeAgent]:
    server = ThreadedServer(context)
    with FakeAgent(server) as agent:
        yield agent
    server.stop()


def _run(agent: FakeAgent, *args: str) -> Result:
    return CliRunner(env={"TRAINYARD_SERVER": str(agent.http.base_url)}).invoke(app, args)


def _rows(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_all_jobs_are_exported_and_not_the_first_20(agent: FakeAgent, tmp_path: Path) -> None:
    for number in range(22):
        agent.submit(name=f"=run {number}")
    rows = _rows(_run(agent, "jobs", "--csv"))
    assert {row["name"] for row in rows} == {f"'=run {number}" for number in range(22)}
    assert len(_rows(_run(agent, "jobs", "--csv", "--limit", "3"))) == 3
    target = tmp_path / "jobs.parquet"
    written = _run(agent, "jobs", "-o", str(target))
    assert (written.exit_code, written.stdout.strip()) == (0, str(target))
    names = pyarrow.parquet.read_table(target).column("name").to_pylist()
    assert sorted(names) == sorted(f"=run {number}" for number in range(22))


def test_metrics_of_several_jobs_events_and_checkpoints_are_exported(agent: FakeAgent) -> None:
    ids = []
    for loss in (0.5, 0.25):
        agent.submit()
        claim = agent.claim()
        body = {"phase": "train", "step": 20, "total_steps": 40, "metrics": {"loss": loss}}
        agent.beat(claim, ("progress", body))
        agent.save(claim, 20)
        agent.report(claim)
        ids.append(claim["job_id"])
    points = _rows(_run(agent, "metrics", *ids, "--csv"))
    assert [(row["job_id"], row["step"], row["loss"]) for row in points] == [
        (ids[0], "20", "0.5"),
        (ids[1], "20", "0.25"),
    ]
    kinds = [row["kind"] for row in _rows(_run(agent, "events", ids[0], "--csv"))]
    assert kinds == ["submitted", "claimed", "checkpoint", "succeeded"]
    checkpoints = _rows(_run(agent, "checkpoints", "list", "--csv"))
    assert {row["job_id"] for row in checkpoints} == set(ids)


def test_attempts_workers_and_their_use_are_exported(context: AppContext, agent: FakeAgent) -> None:
    agent.submit()
    claim = agent.claim()
    beat(agent.http, agent.id, SAMPLE)
    write_samples(context)
    (attempt,) = _rows(_run(agent, "attempts", claim["job_id"], "--csv"))
    assert (attempt["number"], attempt["worker_id"], attempt["state"]) == ("1", agent.id, "running")
    (worker,) = _rows(_run(agent, "workers", "list", "--csv"))
    assert (worker["id"], worker["labels"]) == (agent.id, f'{{"agent": "{agent.id}"}}')
    (of_worker,) = _rows(_run(agent, "workers", "samples", agent.id, "--csv"))
    assert (of_worker["time"], of_worker["cpu_use"]) == ("2026-01-01T00:00:00Z", "0.25")
    (of_job,) = _rows(_run(agent, "samples", claim["job_id"], "--csv"))
    assert (of_job["attempt"], of_job["worker_id"], of_job["cpu_use"]) == ("1", agent.id, "0.25")


def test_a_list_without_items_is_a_table_with_its_columns(agent: FakeAgent) -> None:
    head = _run(agent, "jobs", "--csv").stdout
    assert head == ",".join(JOB_COLUMNS) + "\n"
    assert _run(agent, "checkpoints", "list", "--csv").stdout.startswith("id,job_id,attempt")


def test_what_an_eval_found_of_each_class_is_shown_and_exported(agent: FakeAgent) -> None:
    agent.submit()
    claim = agent.claim()
    content = json.dumps(EVALUATION).encode()
    folder = agent.volume / job_files_path(claim["job_id"], claim["attempt"])
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_bytes(content)
    digest = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    agent.report(claim, result={"files": {"evaluation.json": digest}})
    shown = _run(agent, "classes", claim["job_id"])
    assert "0.75" in shown.stdout
    rows = _rows(_run(agent, "classes", claim["job_id"], "--csv"))
    assert (rows[0]["class"], rows[0]["accuracy"]) == ("'=cat", "0.75")
    confusion = _rows(_run(agent, "classes", claim["job_id"], "--confusion", "--csv"))
    lines = _run(agent, "classes", claim["job_id"], "--json").stdout.splitlines()
    assert [json.loads(line) for line in lines] == EVALUATION["per_class"]
    both = _run(agent, "classes", claim["job_id"], "--json", "--csv")
    assert (both.exit_code, "give one of --csv, --output and --json" in both.stderr) == (2, True)
    assert [tuple(row.values()) for row in confusion] == [
        ("'=cat", "'=cat", "3"),
        ("'=cat", "dog", "1"),
        ("dog", "dog", "4"),
    ]


def test_a_job_without_classes_says_so(agent: FakeAgent) -> None:
    result = _run(agent, "classes", agent.submit()["id"])
    assert result.exit_code == 1
    assert "only an eval that succeeded has" in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("jobs", "--csv", "--json"), "give one of --csv, --output and --json"),
        (("jobs", "-o", "jobs.xlsx"), "the name must end in .csv or .parquet"),
        (("events", "@last", "-f", "--csv"), "leave --follow out"),
        (("checkpoints", "list", ".", "--csv"), "leave DIR out"),
        (("metrics", "one", "other"), "name one job, or write several with --csv or --output"),
    ],
)
def test_what_does_not_go_together_is_refused(
    agent: FakeAgent, args: tuple[str, ...], message: str
) -> None:
    agent.submit(name="one")
    agent.submit(name="other")
    result = _run(agent, *args)
    assert result.exit_code == 2
    assert message in result.stderr
