"""The list of jobs of a real server, as it answers what the page asks it."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.job_yard import JobYard
from service.store import series
from service.store.engine import Database

JOB = "tr[data-job]"


@pytest.fixture
def yard(sqlite: Database, tmp_path: Path) -> Iterator[JobYard]:
    yard = JobYard(sqlite, tmp_path)
    yield yard
    yard.server.stop()


def test_jobs_of_a_server_are_found_sorted_changed_and_gone(
    page: Page, ask_again: Callable[[], None], yard: JobYard
) -> None:
    ids = [yard.submit(name=f"run {each}", labels={"odd": 'a"b: c\\'}) for each in range(3)]
    ids.append(yard.submit(name="\u202e<b>" + "x" * 190, labels={"url": "http://x/?a=b&c=d#e f"}))
    for loss, job_id in zip((3.0, 1.7e21, 0.5), ids, strict=False):
        yard.fill(job_id, metrics={"loss": loss}, progress={"step": 2, "total_steps": 3})
        with yard.database.write() as tx:
            series.add(tx, job_id, [("loss", 0, 4.0), ("loss", 2, loss)])
    page.goto(f"{yard.server.url}/")
    expect(page.locator(JOB)).to_have_count(4)
    expect(page.get_by_role("img", name="Loss from 4.000 to 0.5000 in 2 steps")).to_be_visible()
    page.get_by_role("link", name="url: http://x/?a=b&c=d#e f").click()
    expect(page.locator(JOB)).to_have_count(1)
    expect(page.locator(JOB)).to_contain_text("\\u202e<b>x")
    page.get_by_label("Without the filter").click()
    page.get_by_label("Search jobs").fill('A"B: c\\')
    expect(page.locator(JOB)).to_have_count(3)
    page.get_by_role("columnheader", name="Loss", exact=True).get_by_role("link").click()
    expect(page.locator(f"{JOB} .title")).to_have_text(["run 2", "run 0", "run 1"])
    with page.expect_download() as download:
        page.get_by_role("link", name="These jobs as CSV").click()
    rows = csv.DictReader(Path(download.value.path()).read_text().splitlines())
    assert [row["name"] for row in rows] == ["run 2", "run 0", "run 1"]
    page.get_by_label("Select all jobs that match").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the jobs").click()
    expect(page.locator(".outcome")).to_contain_text("3 jobs were cancelled.")
    assert yard.listed()["counts"]["cancelled"] == 3
    yard.http.delete(f"/jobs/{ids[0]}").raise_for_status()
    ask_again()
    expect(page.locator(f"{JOB} .title")).to_have_text(["run 2", "run 1"], timeout=15_000)
