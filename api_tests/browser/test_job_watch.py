"""What a tab tells of a job that nobody looks at: title, icon, a notification of its end."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

NOTIFICATIONS = """permission => {
  window.shown = [];
  window.asked = 0;
  window.Notification = class {
    static permission = "default";
    static async requestPermission() {
      window.asked += 1;
      Notification.permission = permission;
      return permission;
    }
    constructor(title, {body}) {
      window.shown.push([title, body]);
    }
  };
}"""
BELL = "Notify me when this job ends"


def _open(page: Page, fake: Any, job: Any, permission: str) -> None:
    page.add_init_script(f"({NOTIFICATIONS})('{permission}')")
    fake.jobs = [job]
    page.goto(f"/#/jobs/{job.id}")


def test_the_tab_tells_how_far_the_job_is_and_how_it_ended(
    page: Page, fake: Any, a_job: Any, ask_again: Any
) -> None:
    icon = page.locator("link[rel=icon]")
    fake.jobs = [a_job(1, name="watched")]
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    expect(page).to_have_title("40 % watched \N{EN DASH} Trainyard")
    running = icon.get_attribute("href")
    fake.replace(a_job(1, name="watched", state="failed"))
    ask_again()
    expect(page).to_have_title("✗ watched \N{EN DASH} Trainyard")
    assert icon.get_attribute("href") != running
    page.get_by_role("link", name="Workers").first.click()
    expect(page).to_have_title("Workers \N{EN DASH} Trainyard")
    expect(icon).to_have_attribute("href", f"{fake.url}/dashboard/icon.svg")


def test_the_browser_is_asked_at_the_bell_alone_and_tells_the_end_on_any_page(
    page: Page, fake: Any, a_job: Any, ask_again: Any
) -> None:
    _open(page, fake, a_job(1, name="watched"), "granted")
    bell = page.get_by_role("button", name=BELL)
    expect(bell).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("asked") == 0
    bell.click()
    expect(bell).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("asked") == 1
    page.reload()
    expect(bell).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Workers").first.click()
    fake.replace(a_job(1, name="watched", state="succeeded"))
    ask_again()
    page.wait_for_function("shown.length > 0")
    assert page.evaluate("shown") == [["watched succeeded", "Top-1 error 12.34 %"]]
    page.go_back()
    expect(page.locator(".job-head .badge")).to_have_text("succeeded")
    expect(bell).to_have_count(0)


@pytest.mark.parametrize("permission", ["denied", "default"])
def test_a_browser_that_shows_no_notifications_is_said(
    page: Page, fake: Any, a_job: Any, permission: str
) -> None:
    _open(page, fake, a_job(1), permission)
    bell = page.get_by_role("button", name=BELL)
    bell.click()
    expect(page.get_by_text("The browser blocks notifications")).to_be_visible()
    expect(bell).to_have_attribute("aria-pressed", "false")
