"""Some jobs side by side."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

SPEC = {"params": {"learning_rate": 0.5, "batch_size": 32, "image_size": 224}}


@pytest.fixture
def compared(fake: Any, a_job: Any) -> str:
    """The address of three jobs that are compared."""
    fake.jobs = [
        a_job(
            number,
            name=f"run {number}",
            spec=SPEC | {"params": SPEC["params"] | {"learning_rate": 0.1 * number}},
            metrics={"loss": 1.0 * number, "top1_error": 0.1 * number},
        )
        for number in (1, 2, 3)
    ]
    fake.series = {"loss": [[1, 2.3], [60, 0.9]]}
    return "/#/compare?ids=" + ",".join(job.id for job in fake.jobs)


def test_jobs_are_compared_by_curves_and_by_what_differs(page: Page, compared: str) -> None:
    page.goto(compared)
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare 3 jobs")
    expect(page.locator(".chart canvas")).to_have_count(1)
    expect(page.locator(".chart [data-series]")).to_have_count(3)
    table = page.get_by_role("region", name="Differences")
    expect(table).to_contain_text("learning_rate")
    expect(table).not_to_contain_text("batch_size")
    page.get_by_label("What is equal, too").check()
    expect(table).to_contain_text("batch_size")
    assert page.url.endswith("&all=1")
    expect(page.get_by_role("img", name="Parallel coordinates")).to_be_visible()


def test_errors_are_compared_with_the_sizes_of_the_networks(
    page: Page, fake: Any, compared: str
) -> None:
    fake.recipes = [{"name": "oneshot", "sizes": {"searched": {"multiply_adds": 328e6}}}]
    page.goto(compared)
    scatter = page.get_by_role("img", name="Top-1 error against multiply-adds")
    expect(scatter.locator("circle")).to_have_count(3)
    expect(scatter.locator("title").first).to_have_text("run 1: 10.00 % at 328.0 M")


def test_jobs_are_compared_by_their_epochs_where_all_of_them_have_some(
    page: Page, fake: Any, compared: str
) -> None:
    for number, job in enumerate(fake.jobs, start=1):
        steps = {"steps_per_epoch": 20 * number}
        fake.replace(job.model_copy(update={"progress": job.progress.model_copy(update=steps)}))
    page.goto(compared)
    axis = page.get_by_role("combobox", name="X axis")
    expect(axis.locator("option[disabled]")).to_have_text(["time"])
    axis.select_option("epoch")
    # Of 60 steps: 3, 1.5 and 1 epochs.
    expect(page.locator(".chart .plot")).to_have_attribute(
        "aria-label", re.compile("loss at epoch 3: run 1 0.9000")
    )
    expect(page).to_have_url(re.compile("x=epoch"))


def test_a_job_is_left_out_by_its_chip_and_by_the_address(page: Page, compared: str) -> None:
    page.goto(compared)
    page.get_by_role("button", name="Leave out run 2").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare 2 jobs")
    expect(page.locator(".job-chip")).to_contain_text(["run 1", "run 3"])
    page.reload()
    expect(page.locator(".job-chip")).to_contain_text(["run 1", "run 3"])


def test_a_job_that_is_not_there_hides_no_other(
    page: Page, fake: Any, compared: str, console: list[str]
) -> None:
    page.goto(f"{compared},job_none")
    expect(page.get_by_text("There is no job job_none.")).to_be_visible()
    expect(page.locator(".job-chip")).to_have_count(len(fake.jobs))
    assert all("404" in line for line in console)
    console.clear()


def test_the_comparison_fits_a_telephone(page: Page, compared: str) -> None:
    page.set_viewport_size({"width": 375, "height": 740})
    page.goto(compared)
    expect(page.locator(".chart canvas")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
