"""The list of jobs, in a real browser."""

import json
import re
from typing import Any

from playwright.sync_api import Page, expect

from api_tests.support.fake_dashboard_server import DASHBOARD

JOB = "tr[data-job]"
WATCH = """table => {
  window.changes = 0;
  new MutationObserver(seen => { window.changes += seen.length; })
    .observe(table, {subtree: true, childList: true, characterData: true, attributes: true});
}"""


def test_the_list_shows_each_job_with_its_progress(page: Page, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(2, name="first run"), a_job(1, state="queued", wait_reason="no free GPU")]
    page.goto("/")
    running, queued = page.locator(JOB).nth(0), page.locator(JOB).nth(1)
    expect(running.get_by_role("link", name="first run")).to_be_visible()
    expect(running.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "40")
    for text in ("running", "oneshot", "40 %", "120 of 300", "0.5321", "12.34 %", "311"):
        expect(running).to_contain_text(text)
    expect(running).to_contain_text("12 min 34 s left")
    expect(queued).to_contain_text("no free GPU")


def test_a_job_of_a_newer_version_is_shown_plainly_in_the_list_and_on_its_page(
    page: Page, fake: Any, a_job: Any
) -> None:
    newer = a_job(1, name="newer", kind="search", state="hibernating", spec={"kind": "search"})
    fake.jobs = [newer.model_copy(update={"unreadable": "this version cannot read its spec"})]
    page.goto("/#/jobs?kind=all")
    row = page.locator(JOB)
    expect(row).to_contain_text("hibernating")
    expect(row.get_by_role("link", name="newer")).to_be_visible()
    page.goto(f"/#/jobs/{newer.id}")
    expect(page.get_by_text("hibernating").first).to_be_visible()
    expect(page.get_by_text("This version cannot read its spec")).to_be_visible()


def test_an_unchanged_job_is_a_304_and_nothing_is_redrawn(
    page: Page, ask_again: Any, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(1, state="succeeded", finished_at="2026-01-01T00:00:00Z")]
    page.goto("/")
    expect(page.locator(JOB)).to_have_count(1)
    page.get_by_role("table", name="Jobs").evaluate(WATCH)
    for times in (1, 2, 3):
        ask_again()
        fake.wait_for_reads("/jobs", 304, times)
    assert page.evaluate("window.changes") == 0


def test_a_changed_job_keeps_its_row_and_its_focus(
    page: Page, ask_again: Any, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(1, name="kept")]
    page.goto("/")
    link = page.get_by_role("link", name="kept")
    link.focus()
    page.locator(JOB).evaluate("row => { row.isTheSame = true; }")
    fake.jobs = [a_job(2, name="newer"), a_job(1, name="kept", metrics={"loss": 0.25})]
    ask_again()
    row = page.locator(JOB).filter(has_text="kept")
    expect(row).to_contain_text("0.2500")
    expect(page.locator(JOB).first).to_contain_text("newer")
    assert row.evaluate("row => row.isTheSame")
    expect(link).to_be_focused()


def test_a_hostile_name_is_text(page: Page, fake: Any, a_job: Any, console: list[str]) -> None:
    name = "<img src=x onerror=\"console.error('owned')\"><b>bold</b>"
    fake.jobs = [a_job(1, name=name, labels={"<i>key</i>": "<i>value</i>"})]
    page.goto("/")
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_text("<i>key</i>: <i>value</i>")).to_be_visible()
    assert page.locator("main img, main b, main i").count() == 0
    assert console == []


def test_a_filter_asks_for_one_state_and_survives_a_reload(
    page: Page, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(2, name="runs"), a_job(1, name="broke", state="failed", reason="crashed")]
    page.goto("/")
    page.get_by_role("link", name="failed").click()
    expect(page.locator(JOB)).to_have_count(1)
    expect(page.locator(JOB)).to_contain_text("crashed")
    page.reload()
    expect(page.locator(JOB)).to_have_count(1)
    expect(page.locator(".filters [aria-current]")).to_contain_text("failed")


def test_an_empty_list_shows_the_command_that_submits_a_first_job(page: Page, fake: Any) -> None:
    page.goto("/")
    expect(page.locator(".command")).to_contain_text(f"curl {fake.url}/jobs")
    expect(page.locator(".command")).to_contain_text('"recipe": "oneshot"')
    command = page.locator(".command code").inner_text()
    (sent,) = re.findall(r"-d '(.*)'", command)
    assert json.loads(sent) == json.loads((DASHBOARD / "first_job.json").read_text())


def test_the_workers_are_shown_with_their_gpus_and_jobs(page: Page, fake: Any, a_job: Any) -> None:
    job = a_job(1)
    gpu = {"name": "NVIDIA H100", "memory_bytes": 80 * 2**30}
    worker = {"id": "wrk_1", "state": "active", "host": "trainer-a", "jobs": [job.id]}
    worker |= {"gpus": [gpu | {"index": 0}, gpu | {"index": 1}]}
    fake.jobs, fake.workers = [job], [worker | {"last_seen_at": "2026-01-01T00:00:00Z"}]
    page.goto("/")
    page.get_by_role("link", name="1 worker · 1 busy").click()
    strip = page.get_by_role("region", name="Workers")
    expect(strip).to_contain_text("2 \N{MULTIPLICATION SIGN} NVIDIA H100 80 GiB")
    expect(strip).to_contain_text(re.compile(r"\d+ d ago"))
    strip.get_by_title(job.id).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(job.id)


def test_a_server_that_is_away_is_said_calmly_and_the_page_recovers(
    page: Page, ask_again: Any, fake: Any, a_job: Any, console: list[str]
) -> None:
    fake.jobs = [a_job(1, name="survivor")]
    page.goto("/")
    expect(page.locator(JOB)).to_have_count(1)
    fake.stop()
    banner = page.locator(".banner")
    expect(banner).to_contain_text("Reconnecting")
    expect(page.locator(JOB)).to_contain_text("survivor")
    fake.jobs = [a_job(1, name="survivor", metrics={"loss": 0.125})]
    fake.start()
    ask_again()
    expect(banner).not_to_be_visible()
    expect(page.locator(JOB)).to_contain_text("0.1250")
    assert all("ERR_" in line for line in console), console
    console.clear()


def test_the_list_fits_a_telephone(page: Page, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(1, name="a name that is much longer than a telephone is wide " * 3)]
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/")
    expect(page.locator(JOB)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
