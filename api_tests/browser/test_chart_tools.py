"""What is done with a chart: lines are hidden, it is drawn otherwise, and saved."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.chart_page import LOSS, chart, drawn_otherwise, picture_of, plot_of


@pytest.fixture
def trained(fake: Any, a_job: Any) -> str:
    """The address of a training whose loss was wild once."""
    losses = [[step, 3 - step / 100] for step in range(1, 200)]
    fake.series = {"loss": [*losses[:100], [101, 340.0], *losses[101:], [200, 0.5]]}
    fake.jobs = [a_job(1)]
    return f"/#/jobs/{fake.jobs[0].id}"


def test_a_line_is_hidden_by_its_entry_in_the_legend_and_shown_again(
    page: Page, trained: str
) -> None:
    page.goto(trained)
    expect(chart(page, "Loss").get_by_role("img")).to_have_attribute("aria-label", LOSS)
    entry = chart(page, "Loss").get_by_role("button", name="Training loss")
    drawn = picture_of(page, "Loss")
    entry.click()
    expect(entry).to_have_attribute("aria-pressed", "false")
    drawn_otherwise(page, "Loss", drawn)
    entry.click()
    expect(entry).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(
    ("setting", "kept"),
    [("Smoothing", "smooth=0.9"), ("Logarithmic", "log=1"), ("Show outliers", "outliers=1")],
)
def test_how_charts_are_drawn_is_chosen_and_kept_by_the_address(
    page: Page, trained: str, setting: str, kept: str
) -> None:
    page.goto(trained)
    expect(plot_of(page, "Loss").locator("canvas")).to_be_visible()
    drawn = picture_of(page, "Loss")
    if setting == "Smoothing":
        page.get_by_label(setting).select_option("0.9")
    else:
        page.get_by_label(setting).check()
    page.wait_for_function(f"location.hash.includes('{kept}')")
    drawn_otherwise(page, "Loss", drawn)
    page.reload()
    expect(plot_of(page, "Loss").locator("canvas")).to_be_visible()
    assert kept in page.url


def test_a_chart_is_saved_as_its_picture_and_as_its_values(page: Page, trained: str) -> None:
    page.goto(trained)
    loss = chart(page, "Loss")
    expect(loss.locator("canvas")).to_be_visible()
    with page.expect_download() as picture:
        loss.get_by_role("button", name="Loss as PNG").click()
    assert picture.value.suggested_filename == "loss.png"
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as values:
        loss.get_by_role("button", name="Loss as CSV").click()
    assert values.value.suggested_filename == "loss.csv"
    assert "200,0.5" in values.value.path().read_text()
