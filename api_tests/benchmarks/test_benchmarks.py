"""The benchmarks in their short form: that they run and what they show, not how fast it is."""

import socket
from contextlib import closing

import pytest

from benchmarks import (
    charts,
    checkpoint_stall,
    control_costs,
    end_to_end,
    evaluation,
    input,
    job_rows,
    latest,
    polls,
    queue,
    save_ways,
    search,
    step,
    submissions,
)
from benchmarks.report import Section


def _is_complete(section: Section) -> bool:
    return all(len(row) == len(section.columns) and all(row[:2]) for row in section.rows)


def test_the_queue_is_measured_on_both_databases() -> None:
    scale = queue.Scale(few_jobs=20, many_jobs=100, workers=64, batch=2, beat_seconds=0.5)
    section = queue.measure(scale)
    assert _is_complete(section)
    assert {row[0] for row in section.rows} == {"SQLite", "PostgreSQL"}
    assert [figure.key for figure in section.figures if figure.goal] == [
        "sqlite.claim_p99_ratio",
        "sqlite.heartbeats_per_second",
        "postgresql.claim_p99_ratio",
        "postgresql.heartbeats_per_second",
    ]


def test_a_server_that_closes_a_connection_ends_the_measurement_of_submissions() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with closing(submissions._Client(url)) as client:
            listening.accept()[0].close()
            with pytest.raises(AssertionError, match="closed"):
                client.is_answered()


def test_submissions_are_measured_on_both_databases_beside_the_database_alone() -> None:
    section = submissions.measure(submissions.Scale(rounds=1, seconds=0.3, clients=4))
    assert _is_complete(section)
    assert [figure.key for figure in section.figures] == [
        "sqlite.submissions_to_inserts",
        "postgresql.submissions_to_inserts",
    ]
    assert all(float(row[2]) > 0 for row in section.rows)


def test_heartbeats_jobs_and_pages_of_waiting_jobs_are_measured_on_postgresql() -> None:
    scale = control_costs.Scale(
        workers=3, beats=12, idle_seconds=0.2, jobs=2, queues=((20, 3),), pages=2
    )
    section = control_costs.measure(scale)
    assert _is_complete(section)
    rows = {row[0]: row for row in section.rows}
    commits = {what: float(row[3]) for what, row in rows.items()}
    assert commits["a heartbeat with a report"] >= 1
    # It is submitted, claimed, started, saved and ended.
    assert commits["a job from its submission to its end"] >= 4
    assert "a page of 20 waiting jobs: 20 jobs, 3 workers" in rows


def test_the_rows_that_a_job_leaves_are_counted_and_weighed() -> None:
    scale = job_rows.Scale(jobs=50, jobs_with_series=5, reports=4, checkpoints=2)
    section = job_rows.measure(scale)
    assert _is_complete(section)
    rows = {row[0]: row for row in section.rows}
    assert [rows[name][1] for name in ("checkpoints", "jobs", "attempts")] == ["2", "1", "1"]
    assert int(rows["metrics"][1]) >= 4 * 3
    assert all(float(rows[name][2].replace(",", "")) > 0 for name in ("jobs", "metrics", "all"))
    assert int(rows["series_arrays"][1]) >= 3


def test_charts_are_measured_on_both_databases_beside_all_rows() -> None:
    section = charts.measure(charts.Scale(points=4000, series=2, rounds=2))
    assert _is_complete(section)
    assert [row[:3] for row in section.rows] == [
        (kind, count, "4,000") for kind in ("SQLite", "PostgreSQL") for count in ("1", "2")
    ]


def test_the_latest_checkpoint_is_measured_on_both_databases() -> None:
    section = latest.measure(latest.Scale(few=600, many=1200, rounds=10))
    assert _is_complete(section)
    assert [row[1] for row in section.rows] == [*latest.FORMS, *latest.FORMS]


@pytest.mark.filterwarnings("ignore")
def test_a_training_step_is_measured_against_both_loops() -> None:
    section = step.measure(step.Scale(batch=2, pixels=32, rounds=1, compiles=False, threads=1))
    assert _is_complete(section)
    assert [figure.key for figure in section.figures if figure.goal] == ["eager"]
    assert section.notes


@pytest.mark.filterwarnings("ignore")
def test_training_from_files_is_measured_with_both_loops() -> None:
    section = end_to_end.measure(end_to_end.Scale(batch=2, pixels=32, steps=1, rounds=1, threads=1))
    assert _is_complete(section)
    assert [row[0] for row in section.rows] == ["original loop", "ours"]


@pytest.mark.filterwarnings("ignore")
def test_the_stall_of_a_save_is_measured_in_all_ways() -> None:
    section = checkpoint_stall.measure({"OneShot": ("oneshot", "searched", 2)})
    assert _is_complete(section)
    assert [row[1] for row in section.rows] == [*save_ways.WAYS]


@pytest.mark.filterwarnings("ignore:The image decoding and encoding:DeprecationWarning")
def test_the_input_path_is_measured_in_all_ways_with_its_goals() -> None:
    section = input.measure(rounds=2, large=(1000, 750))
    assert {"original, training", "decoder: simplejpeg"} <= {row[0] for row in section.rows}
    assert len(section.decisions) == 4


def test_what_a_request_costs_is_measured_on_both_databases() -> None:
    section = polls.measure(polls.Scale(rounds=1, requests=16, changes=2, jobs=6))
    assert _is_complete(section)
    assert {row[0] for row in section.rows} == {"SQLite", "PostgreSQL"}
    assert len(section.figures) == 10


def test_searches_are_measured_beside_as_many_random_paths() -> None:
    scale = search.Scale(
        supernets=1,
        searches=1,
        iterations=4,
        generations=2,
        population=3,
        parents=2,
        mutations=1,
        crossovers=1,
        images=32,
        recalibration_batches=1,
    )
    section = search.measure(scale)
    assert len(section.rows) == 1
    assert {figure.key for figure in section.figures} == {
        "better_share",
        "loss_ratio",
        "below_median_share",
    }


def test_an_eval_is_measured_with_and_without_what_it_writes() -> None:
    section = evaluation.measure(evaluation.Scale(images=20, classes=10, size=32, rounds=1))
    assert _is_complete(section)
    assert [figure.key for figure in section.figures] == ["whole_ratio", "plain_ratio"]
