"""The list with 10,000 jobs: found, sorted, scrolled, selected, changed; in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.axe import AXE, violations
from api_tests.support.dashboard_models import a_job
from api_tests.support.fake_dashboard_server import FakeDashboardServer
from api_tests.support.job_list_page import BOX, JOB, SCROLL_TO, numbered, row_of
from service.contract.jobs import Job, JobState

MANY = 10_000
TOPS = "rows => rows.map(row => [row.dataset.job, row.getBoundingClientRect().top])"


@pytest.fixture(scope="module")
def base() -> Job:
    return a_job(1, state="succeeded", finished_at="2026-01-01T00:00:00Z", actions=())


@pytest.fixture
def many(fake: FakeDashboardServer, base: Job) -> FakeDashboardServer:
    """The stand-in with 10,000 jobs that have ended, the newest first."""
    teams = ("vision", "audio")
    fake.jobs = [
        numbered(
            base,
            number,
            labels={"team": teams[number % 2]},
            metrics={"loss": (number * 7_919 % MANY) / MANY},
        )
        for number in range(MANY, 0, -1)
    ]
    return fake


def first_names(page: Page, count: int) -> list[str]:
    return page.locator(f"{JOB} .title").all_inner_texts()[:count]


@pytest.mark.usefixtures("many")
def test_a_job_is_found_among_10_000_by_typing_and_back_is_the_whole_list(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("table", name="Jobs")).to_have_attribute("aria-rowcount", "10001")
    page.keyboard.press("/")
    page.keyboard.type("run 04321")
    expect(page.locator(JOB)).to_have_count(1)
    expect(row_of(page, 4_321)).to_contain_text("run 04321")
    assert "q=run+04321" in page.url
    expect(page.locator(".filters [aria-current]")).to_contain_text("1")
    row_of(page, 4_321).get_by_role("link", name="run 04321").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("run 04321")
    page.go_back()
    expect(page.get_by_label("Search jobs")).to_have_value("run 04321")
    expect(page.locator(JOB)).to_have_count(1)
    page.get_by_label("Search jobs").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("table", name="Jobs")).to_have_attribute("aria-rowcount", "10001")


@pytest.mark.usefixtures("many")
def test_a_column_sorts_by_its_head_and_back_undoes_it(page: Page) -> None:
    page.goto("/")
    expect(row_of(page, MANY)).to_be_visible()
    page.get_by_role("columnheader", name="Loss", exact=True).get_by_role("link").click()
    expect(page.locator(f"{JOB} .col-metrics-loss").first).to_have_text("0")
    head = page.get_by_role("columnheader", name="Loss", exact=True)
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.get_by_role("link").click()
    expect(page.locator(f"{JOB} .col-metrics-loss").first).to_have_text("0.9999")
    page.go_back()
    expect(page.locator(f"{JOB} .col-metrics-loss").first).to_have_text("0")
    page.go_back()
    expect(page.locator(f"{JOB} .title").first).to_have_text("run 10000")


@pytest.mark.usefixtures("many")
def test_a_label_filters_by_a_click_and_groups_by_a_choice(page: Page) -> None:
    page.goto("/")
    row_of(page, 9_999).get_by_role("link", name="team: audio").click()
    expect(page.get_by_role("table", name="Jobs")).to_have_attribute("aria-rowcount", "5001")
    assert "label=team%3Aaudio" in page.url
    page.get_by_label("Without the filter").click()
    expect(page.get_by_role("table", name="Jobs")).to_have_attribute("aria-rowcount", "10001")
    page.get_by_label("Group by a label").select_option("team")
    expect(page.get_by_role("button", name="audio")).to_be_visible()
    expect(page.get_by_text("Of 10,000 jobs the newest")).to_be_visible()
    page.get_by_role("button", name="audio").click()
    expect(page.get_by_role("button", name="vision")).to_be_visible()
    expect(page.locator(f"{JOB} .title").first).to_have_text("run 10000")
    assert "group=team" in page.url


def test_the_list_scrolls_to_its_end_with_few_requests(page: Page, many: Any) -> None:
    page.goto("/")
    expect(row_of(page, MANY)).to_be_visible()
    many.calls.clear()
    box = page.locator(BOX)
    height = box.evaluate("box => box.scrollHeight")
    box.evaluate(SCROLL_TO, height)
    expect(row_of(page, 1)).to_be_visible()
    box.evaluate(SCROLL_TO, height // 5)
    expect(row_of(page, 8_000)).to_be_visible()
    assert box.evaluate("box => box.scrollHeight") == height
    assert page.locator(JOB).count() < 100
    assert len(many.calls) <= 10, many.calls


def test_scrolling_for_seconds_asks_at_most_once_a_second(page: Page, many: Any) -> None:
    page.goto("/")
    expect(row_of(page, MANY)).to_be_visible()
    many.calls.clear()
    page.evaluate(
        """async () => {
          const box = document.querySelector(".job-box");
          for (const from = performance.now(); performance.now() - from < 3000;) {
            box.scrollTop += 1500;
            await new Promise(requestAnimationFrame);
          }
        }"""
    )
    assert len(many.calls) <= 6, many.calls


def test_new_jobs_do_not_move_what_is_read(page: Page, many: Any, base: Job) -> None:
    page.goto("/")
    expect(row_of(page, MANY)).to_be_visible()
    page.locator(BOX).evaluate(SCROLL_TO, 2_000)
    expect(row_of(page, 9_960)).to_be_visible()
    before = dict(page.locator(JOB).evaluate_all(TOPS))
    many.jobs[:0] = [numbered(base, MANY + each) for each in (3, 2, 1)]
    newer = page.get_by_role("button", name="3 new jobs")
    # The page asks every three seconds, as far as its budget of requests goes.
    expect(newer).to_be_visible(timeout=30_000)
    after = dict(page.locator(JOB).evaluate_all(TOPS))
    assert before.keys() == after.keys()
    assert before == after
    newer.click()
    expect(row_of(page, MANY + 3)).to_be_visible()
    expect(newer).to_be_hidden()


def test_columns_are_chosen_and_kept_by_the_browser(page: Page, fake: Any, base: Job) -> None:
    fake.jobs = [numbered(base, 1, labels={"team": "vision"})]
    page.goto("/")
    page.get_by_role("button", name="Columns").click()
    for name in ("seed", "Attempts", "team"):
        page.get_by_label(name, exact=True).check()
    page.get_by_label("Progress", exact=True).uncheck()
    page.get_by_role("button", name="Close").click()
    for name in ("seed", "Attempts", "team"):
        expect(page.get_by_role("columnheader", name=name, exact=True)).to_be_visible()
    expect(page.get_by_role("columnheader", name="Progress")).to_have_count(0)
    expect(row_of(page, 1).locator(".col-param-seed")).to_have_text("0")
    page.goto("/#/jobs")
    page.reload()
    expect(page.get_by_role("columnheader", name="seed", exact=True)).to_be_visible()
    assert "columns=" not in page.url


def test_the_loss_of_jobs_in_sight_is_a_curve(page: Page, fake: Any, base: Job) -> None:
    fake.jobs = [numbered(base, number) for number in (2, 1)]
    fake.curves = {fake.jobs[0].id: [[0, 2.5], [50, None], [60, 1.0], [100, 0.5]]}
    page.goto("/")
    curve = row_of(page, 2).get_by_role("img", name="Loss from 2.500 to 0.5000 in 100 steps")
    expect(curve).to_be_visible()
    expect(row_of(page, 1).get_by_role("img")).to_have_count(0)


def test_imports_are_hidden_until_asked(page: Page, fake: Any, base: Job) -> None:
    fake.jobs = [numbered(base, 2, kind="import"), numbered(base, 1)]
    page.goto("/")
    expect(page.locator(JOB)).to_have_count(1)
    page.get_by_label("Kinds of jobs").select_option("All kinds")
    expect(page.locator(JOB)).to_have_count(2)
    assert "kind=all" in page.url


def test_a_refused_view_says_why_and_is_calm(page: Page, fake: Any, console: list[str]) -> None:
    fake.list_refusal = "state is one of queued, running"
    page.goto("/#/jobs?state=strange")
    expect(page.get_by_role("alert")).to_contain_text("state is one of queued, running")
    expect(page.get_by_role("link", name="Show all jobs")).to_be_visible()
    fake.list_refusal = ""
    page.get_by_role("link", name="Running").click()
    expect(page.get_by_text("No job matches.")).to_be_visible()
    assert all("422" in line for line in console), console
    console.clear()


def test_a_search_that_finds_nothing_leads_back_to_all(page: Page, fake: Any, base: Job) -> None:
    fake.jobs = [numbered(base, 1)]
    page.goto("/#/jobs?q=nothing")
    page.get_by_role("link", name="Show all jobs").click()
    expect(row_of(page, 1)).to_be_visible()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core: `make node_modules/installed` brings it")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_the_list_is_accessible(page: Page, fake: Any, base: Job, scheme: Any, width: int) -> None:
    long_name = "a-name-without-a-space-" * 8
    fake.jobs = [
        numbered(base, 4, name=long_name, labels={"team": "vision", "purpose": long_name}),
        numbered(base, 3, state=JobState.RUNNING, finished_at=None),
        numbered(base, 2, state=JobState.QUEUED, started_at=None, finished_at=None),
        numbered(base, 1, state=JobState.FAILED, reason="non_finite_loss"),
    ]
    fake.curves = {fake.jobs[0].id: [[0, 2.5], [100, 0.5]]}
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 760})
    page.goto("/#/jobs?label=team:vision&kind=all&state=")
    page.get_by_label("Select a-name").click()
    expect(page.get_by_role("region", name="Selected jobs")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
