"""The log on a job's page: find in it, its times, lines that are not wrapped, the whole of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.fake_dashboard_server import DEADLINE_MS
from api_tests.support.server import Server
from service.volume.log_times import LogTimes

START = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
AT_THE_END = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 2"
HITS = "log => [...log.querySelectorAll('.hit')].map(line => line.textContent.trim())"
IN_SIGHT = """line => {
  const [box, own] = [line.parentElement, line].map(each => each.getBoundingClientRect());
  return own.top >= box.top && own.bottom <= box.bottom;
}"""


def _open(page: Page, fake: Any, a_job: Any, text: str) -> Locator:
    fake.jobs, fake.log = [a_job(1, attempt=1)], text
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    log = page.get_by_role("region", name="Log", exact=True)
    expect(log).to_contain_text(text.splitlines()[-1])
    return log


def test_a_text_is_found_in_the_log_the_newest_line_first(
    page: Page, fake: Any, a_job: Any, ask_again: Any
) -> None:
    lines = [f"step {number}{' Warning: x' if number % 100 == 7 else ''}" for number in range(400)]
    log = _open(page, fake, a_job, "\n".join(lines) + "\n")
    box = page.get_by_role("searchbox", name="Find in the log")
    panel = page.locator("#log")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    box.fill("warning")
    expect(panel).to_contain_text("4 of 4")
    assert log.evaluate(HITS) == [f"step {number} Warning: x" for number in (7, 107, 207, 307)]
    for shown, number in (("3 of 4", 207), ("2 of 4", 107), ("1 of 4", 7), ("4 of 4", 307)):
        box.press("Enter")
        expect(panel).to_contain_text(shown)
        current = log.locator(".current")
        expect(current).to_contain_text(f"step {number} ")
        assert current.evaluate(IN_SIGHT)
    page.get_by_role("button", name="Hit after").click()
    expect(panel).to_contain_text("1 of 4")
    expect(page.get_by_role("checkbox", name="Follow")).not_to_be_checked()
    fake.log += "a last warning\n"
    ask_again()
    expect(panel).to_contain_text("1 of 5")
    assert log.locator(".current").evaluate(IN_SIGHT)
    box.fill("nowhere")
    expect(panel.get_by_role("status")).to_be_empty()
    assert log.evaluate(HITS) == []


def test_lines_are_wrapped_unless_they_are_not_to_be(page: Page, fake: Any, a_job: Any) -> None:
    log = _open(page, fake, a_job, "x" * 2000 + "\nend\n")
    is_wide = "log => log.scrollWidth > log.clientWidth"
    assert not log.evaluate(is_wide)
    page.get_by_role("checkbox", name="Wrap lines").uncheck()
    assert log.evaluate(is_wide)


def test_a_log_fills_the_screen_until_escape_is_pressed(page: Page, fake: Any, a_job: Any) -> None:
    log = _open(page, fake, a_job, "one\n")
    button = page.get_by_role("button", name="Full screen")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    box = page.locator("#log").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["height"]) == (0, 0, 900)
    page.keyboard.press("Escape")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(log).to_contain_text("one")


@pytest.fixture
def server(tmp_path: Path) -> Any:
    server = Server(tmp_path)
    yield server
    server.stop()


def test_the_lines_have_times_in_the_zone_of_the_viewer_and_the_whole_log_is_downloaded(
    browser: Browser, server: Server
) -> None:
    agent = FakeAgent(server)
    job = agent.submit()
    claim = agent.claim()
    content = (
        b"first\n"
        + b"x" * 500_000
        + b"\n"
        + b"a line as long as the page is wide\n" * 300
        + b"second\n"
    )
    agent.log(claim, content)
    LogTimes(agent.log_path(claim), lambda: START).look()
    with agent.log_path(claim).open("ab") as log_file:
        log_file.write(b"third\n")
    LogTimes(agent.log_path(claim), lambda: START + timedelta(seconds=71.5)).look()
    context = browser.new_context(
        base_url=server.url,
        timezone_id="Asia/Kolkata",
        locale="en-GB",
        accept_downloads=True,
        viewport={"width": 375, "height": 812},
    )
    context.set_default_timeout(DEADLINE_MS)
    page = context.new_page()
    page.goto(f"/#/jobs/{job['id']}")
    line = page.locator(".log span", has_text="third")
    expect(line).to_have_attribute("data-time", "18:01:11")
    expect(page.locator(".log span", has_text="second")).to_have_attribute("data-time", "18:00:00")
    title = line.get_attribute("title")
    assert title is not None
    assert "18:01:11.500" in title
    assert "2026-11-24T12:31:11.500Z" in title
    expect(page.locator("#log")).to_contain_text("The end of the log; the download has all of it.")
    # The times have the lines wrap otherwise: the end is still in sight.
    assert line.evaluate(IN_SIGHT)
    expect(page.get_by_role("checkbox", name="Follow")).to_be_checked()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes() == content + b"third\n"
    assert download.value.suggested_filename == f"{job['id']}-1.log"
    context.close()
    agent.http.close()


def test_the_log_follows_its_end_unless_the_reader_scrolled_up(
    page: Page, ask_again: Any, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(1)]
    fake.log = "".join(f"step {step} loss 0.5\n" for step in range(3000))
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    log = page.get_by_role("region", name="Log")
    expect(log).to_contain_text("step 2999 ")
    assert log.evaluate(AT_THE_END)
    fake.log += "step 3000 loss 0.4\n"
    ask_again()
    expect(log).to_contain_text("step 3000 ")
    assert log.evaluate(AT_THE_END)

    log.evaluate("log => { log.scrollTop = 100; }")
    expect(page.get_by_role("button", name="Jump to the end")).to_be_visible()
    fake.log += "step 3001 loss 0.3\n"
    ask_again()
    expect(log).to_contain_text("step 3001 ")
    assert log.evaluate("log => log.scrollTop") == 100
    page.get_by_role("button", name="Jump to the end").click()
    assert log.evaluate(AT_THE_END)
