"""The charts of a job's page, in a real browser."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.chart_page import LOSS, chart, drawn_otherwise, picture_of, plot_of
from api_tests.support.dashboard_workers import sample_series
from service.contract.jobs import Attempt

BEGIN = datetime.now(UTC) - timedelta(minutes=9)


def seconds(after: float) -> float:
    return BEGIN.timestamp() + after


@pytest.fixture
def job(fake: Any, a_job: Any, a_checkpoint: Any) -> Any:
    """A training that was paused, resumed, and is past its last iteration."""
    best = f"ckpt_{100:026d}"
    progress = {"step": 210, "total_steps": 240, "steps_per_epoch": 40}
    job = a_job(1, best_checkpoint=best, progress=progress)
    job.spec.params["total_iters"] = 200
    fake.jobs = [job]
    fake.series = {
        "loss": [[1, 2.3], [100, 0.9], [200, 0.5]],
        "images_per_second": [[1, 300.0], [200, 310.0]],
    }
    fake.measured = {
        "times": [[0, seconds(0)], [100, seconds(50)], [200, seconds(250)]],
        "time_spent": {
            "step_seconds": [[0, 0.0], [200, 80.0]],
            "data_wait_seconds": [[0, 0.0], [200, 20.0]],
        },
    }
    fake.checkpoints = [a_checkpoint(job.id, step) for step in (100, 200)]
    fake.attempts = [an_attempt(job.id, 1, 0, 50, "paused"), an_attempt(job.id, 2, 150)]
    fake.samples = sample_series(1)
    return job


def an_attempt(
    job_id: str, number: int, start: float, end: float | None = None, reason: Any = None
) -> Attempt:
    return Attempt(
        job_id=job_id,
        number=number,
        worker_id="wrk_1",
        state="running" if end is None else "released",
        reason=reason,
        created_at=BEGIN + timedelta(seconds=start),
        started_at=BEGIN + timedelta(seconds=start),
        finished_at=None if end is None else BEGIN + timedelta(seconds=end),
    )


def test_charts_are_drawn_by_step_epoch_or_time_and_the_address_keeps_it(
    page: Page, job: Any
) -> None:
    page.goto(f"/#/jobs/{job.id}")
    loss = plot_of(page, "Loss")
    expect(loss).to_have_attribute("aria-label", LOSS)
    page.get_by_role("combobox", name="X axis").select_option("epoch")
    expect(loss).to_have_attribute("aria-label", "Loss at epoch 5: Training loss 0.5000")
    page.get_by_role("combobox", name="X axis").select_option("time")
    expect(loss).to_have_attribute("aria-label", "Loss at time 4 min 10 s: Training loss 0.5000")
    expect(page).to_have_url(re.compile("x=time"))
    page.reload()
    expect(loss).to_have_attribute("aria-label", re.compile("at time 4 min 10 s"))


@pytest.mark.parametrize("axis", ["step", "epoch", "time"])
def test_the_moments_of_a_run_are_marked_and_named(page: Page, job: Any, axis: str) -> None:
    page.goto(f"/#/jobs/{job.id}?x={axis}")
    marks = page.get_by_role("list", name="Marks in the charts")
    for text in (
        "attempt: Attempt 2 begins",
        "pause: Paused in attempt 1",
        "best checkpoint: Best checkpoint of step 100",
        "batch norm: Batch norm is recalibrated from step 200 on",
    ):
        expect(marks).to_contain_text(text)
    plot = plot_of(page, "Loss").locator(".u-over")
    box = plot.bounding_box()
    # Of 200 steps, and of the 250 seconds that they took: the best is at 100, after 50.
    place = 0.2 if axis == "time" else 99 / 199
    plot.hover(position={"x": box["width"] * place, "y": 60})
    expect(chart(page, "Loss").locator(".mark-note")).to_contain_text("Best checkpoint of step 100")
    expect(page.locator(".mark-note")).to_have_count(1)


def test_an_axis_that_an_older_server_does_not_tell_is_not_offered(
    page: Page, fake: Any, job: Any
) -> None:
    fake.measured = {}
    progress = job.progress.model_copy(update={"steps_per_epoch": None})
    fake.jobs = [job.model_copy(update={"progress": progress})]
    page.goto(f"/#/jobs/{job.id}?x=time")
    expect(plot_of(page, "Loss")).to_have_attribute("aria-label", re.compile("at step 200"))
    choice = page.get_by_role("combobox", name="X axis")
    expect(choice).to_have_value("step")
    expect(choice.locator("option[disabled]")).to_have_text(["epoch", "time"])
    expect(chart(page, "Where the time goes")).to_have_count(0)


def test_a_loss_that_is_not_finite_breaks_its_line_where_the_run_broke(
    page: Page, fake: Any, job: Any
) -> None:
    fake.attempts = [an_attempt(job.id, 1, 0, 260, "non_finite_loss")]
    fake.attempts[0] = fake.attempts[0].model_copy(
        update={"message": "the loss is nan by step 214"}
    )
    page.goto(f"/#/jobs/{job.id}")
    expect(plot_of(page, "Loss")).to_have_attribute(
        "aria-label", "Loss at step 211: Training loss not finite"
    )
    marks = page.get_by_role("list", name="Marks in the charts")
    expect(marks).to_contain_text("not finite: the loss is nan by step 214")
    page.get_by_role("combobox", name="X axis").select_option("time")
    expect(plot_of(page, "Loss")).to_have_attribute("aria-label", re.compile("4 min 20 s.* finite"))


def test_where_the_time_goes_and_the_rate_are_charts(page: Page, job: Any) -> None:
    page.goto(f"/#/jobs/{job.id}")
    expect(plot_of(page, "Where the time goes")).to_have_attribute(
        "aria-label", "Where the time goes at step 200: training 80 %, waiting for data 20 %"
    )
    expect(plot_of(page, "Images/s")).to_have_attribute("aria-label", re.compile("Images/s 310"))


def test_the_cursor_and_the_zoom_of_a_run_are_those_of_its_hosts_too(page: Page, job: Any) -> None:
    page.goto(f"/#/jobs/{job.id}?x=time")
    page.get_by_text("Host and GPU").click()
    host = chart(page, "Host")
    expect(host.locator("canvas")).to_be_visible()
    plot = plot_of(page, "Loss").locator(".u-over")
    box = plot.bounding_box()
    value = chart(page, "Host").locator(".legend-value").first
    expect(value).to_have_text(re.compile("%"))
    plot.hover(position={"x": box["width"] / 2, "y": 60})
    cursor = host.locator(".u-cursor-x")
    expect(cursor).not_to_have_class(re.compile("u-off"))
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    whole = picture_of(page, "Host")
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 60)
    page.mouse.up()
    drawn_otherwise(page, "Host", whole)
    back = page.get_by_role("button", name="Zoom back")
    expect(back).to_have_count(page.locator(".chart").count())
    zoomed = picture_of(page, "Host")
    back.first.click()
    expect(back).to_have_count(0)
    drawn_otherwise(page, "Host", zoomed)
    assert picture_of(page, "Host") == whole


@pytest.mark.parametrize(
    "series",
    [
        {"loss": [[5, 1.7e21]], "val_loss": [[5, -1.7e308], [6, 1.7e308]]},
        {"loss": [[5, None]], "val_loss": []},
        {"loss": [], "top1_error": [[7, 0.5]]},
        {"loss": [[step, (step * 7919) % 97] for step in range(100_000)]},
    ],
    ids=["diverged", "null", "one point", "100,000 points"],
)
def test_charts_of_any_figures_are_drawn(page: Page, fake: Any, job: Any, series: Any) -> None:
    fake.series = series
    page.goto(f"/#/jobs/{job.id}?x=time")
    expect(page.locator(".chart canvas").first).to_be_visible()
    for axis in ("step", "epoch"):
        page.get_by_role("combobox", name="X axis").select_option(axis)
        expect(page.locator(".chart canvas").first).to_be_visible()
    expect(page.locator(".job-page")).not_to_contain_text(re.compile("NaN|Infinity|undefined"))


def test_a_job_that_is_deleted_while_its_charts_are_shown_keeps_them(
    page: Page, fake: Any, job: Any, ask_again: Any, console: list[str]
) -> None:
    page.goto(f"/#/jobs/{job.id}")
    expect(chart(page, "Loss").locator("canvas")).to_be_visible()
    fake.jobs = []
    ask_again()
    expect(page.locator(".job-page > .callout")).to_contain_text("has been deleted")
    expect(chart(page, "Loss").locator("canvas")).to_be_visible()
    console.clear()


def test_the_page_draws_the_curves_of_loss_and_error(page: Page, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(1)]
    fake.series = {
        "loss": [[1, 2.3], [60, 0.9], [120, 0.5]],
        "val_loss": [[60, 1.0], [120, 0.61]],
        "top1_error": [[60, 0.3], [120, 0.1234]],
        "learning_rate": [[1, 0.1], [120, 0.06]],
    }
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    loss, error = page.locator(".chart").nth(0), page.locator(".chart").nth(1)
    expect(loss.locator("canvas")).to_be_visible()
    expect(loss.locator("[data-series]")).to_have_count(2)
    expect(error.locator("[data-series]")).to_have_count(1)
    expect(loss.locator(".plot")).to_have_attribute(
        "aria-label", "Loss at step 120: Training loss 0.5000, Validation loss 0.6100"
    )
    expect(error).to_contain_text("Top-1 error 12.34 %")


def test_new_measurements_extend_the_curve_that_is_there(
    page: Page, ask_again: Any, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(1)]
    fake.series = {"loss": [[1, 2.3], [60, 0.9]]}
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    plot = page.locator(".chart").nth(0).locator(".plot")
    expect(plot).to_have_attribute("aria-label", "Loss at step 60: Training loss 0.9000")
    fake.series = {"loss": [[1, 2.3], [60, 0.9], [120, 0.5]]}
    fake.replace(a_job(1, version=2))
    ask_again()
    expect(plot).to_have_attribute("aria-label", "Loss at step 120: Training loss 0.5000")
