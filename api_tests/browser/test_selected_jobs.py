"""Jobs that are selected in the list, by the mouse and by keys, and changed together."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from api_tests.support.dashboard_models import a_job
from api_tests.support.fake_dashboard_server import FakeDashboardServer
from api_tests.support.job_list_page import BOX, JOB, SCROLL_TO, numbered, row_of
from service.contract.jobs import Job, JobState


@pytest.fixture(scope="module")
def base() -> Job:
    return a_job(1, state="succeeded", finished_at="2026-01-01T00:00:00Z", actions=())


def posted(fake: FakeDashboardServer) -> list[dict[str, Any]]:
    return [json.loads(body) for method, path, _, body in fake.calls if path == "/jobs/bulk"]


def test_many_queued_jobs_are_selected_with_shift_and_cancelled_by_one_request(
    page: Page, fake: Any, base: Job
) -> None:
    fake.jobs = [numbered(base, number, state=JobState.QUEUED) for number in range(600, 0, -1)]
    fake.jobs[1] = numbered(base, 599)
    page.goto("/")
    page.get_by_label("Select run 00600").click()
    page.locator(BOX).evaluate(SCROLL_TO, 54 * 499)
    page.get_by_label("Select run 00101").click(modifiers=["Shift"])
    bar = page.get_by_role("region", name="Selected jobs")
    expect(bar).to_contain_text("500 jobs selected")
    bar.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancel 500 jobs?")).to_be_visible()
    page.get_by_label("Stop at once").check()
    page.get_by_role("button", name="Cancel the jobs").click()
    outcome = page.locator(".outcome")
    expect(outcome).to_contain_text("499 jobs were cancelled, 1 was refused.")
    expect(outcome).to_contain_text("1 job: the job has already ended: it is succeeded")
    (sent,) = posted(fake)
    assert (sent["action"], sent["mode"], len(sent["ids"])) == ("cancel", "now", 500)
    expect(row_of(page, 101)).to_contain_text("cancelled")
    expect(bar).to_be_hidden()


def test_all_that_match_are_labelled_by_the_filter_of_the_view(
    page: Page, fake: Any, base: Job
) -> None:
    fake.jobs = [numbered(base, number) for number in range(300, 0, -1)]
    page.goto("/#/jobs?q=run+002&state=succeeded")
    page.get_by_label("Select all jobs that match").click()
    bar = page.get_by_role("region", name="Selected jobs")
    expect(bar).to_contain_text("100 jobs selected")
    bar.get_by_role("button", name="Label").click()
    page.get_by_label("Label", exact=True).fill("no label")
    page.get_by_role("button", name="Set the label").click()
    expect(page.get_by_role("alert")).to_contain_text("key: value")
    page.get_by_label("Label", exact=True).fill("team: vision")
    page.get_by_role("button", name="Set the label").click()
    expect(page.locator(".outcome")).to_contain_text("100 jobs were changed.")
    (sent,) = posted(fake)
    filters = {"q": "run 002", "state": ["succeeded"], "kind": ["train", "eval", "search"]}
    assert sent == {
        "action": "label", "labels": {"team": "vision"}, "filter": filters, "limit": 1000,
    }  # fmt: skip


def test_more_jobs_than_one_request_changes_are_changed_to_the_last(
    page: Page, fake: Any, base: Job
) -> None:
    fake.jobs = [numbered(base, number, state=JobState.FAILED) for number in range(2_300, 0, -1)]
    second_part: list[Route] = []

    def hold(route: Route) -> None:
        # It waits, so that what is said meanwhile can be read.
        if "after" in (route.request.post_data or "") and not second_part:
            second_part.append(route)
        else:
            route.continue_()

    page.route("**/jobs/bulk", hold)
    page.goto("/#/jobs?state=failed")
    page.get_by_label("Select all jobs that match").click()
    page.get_by_role("button", name="Label").click()
    expect(page.get_by_role("heading", name="Label 2,300 jobs")).to_be_visible()
    page.get_by_label("Label", exact=True).fill("team: vision")
    page.get_by_role("button", name="Set the label").click()
    expect(page.get_by_role("dialog")).to_contain_text("1,000 of 2,300 jobs done")
    second_part[0].continue_()
    expect(page.locator(".outcome")).to_contain_text("2,300 jobs were changed.")
    sent = posted(fake)
    assert [each.get("after") for each in sent] == [None, fake.jobs[999].id, fake.jobs[1999].id]
    assert {each["limit"] for each in sent} == {1000}


def test_deleted_jobs_leave_the_list(page: Page, fake: Any, base: Job) -> None:
    fake.jobs = [numbered(base, number) for number in range(3, 0, -1)]
    page.goto("/")
    page.get_by_label("Select run 00002").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete the jobs").click()
    expect(page.locator(JOB)).to_have_count(2)
    expect(page.get_by_text("run 00002")).to_have_count(0)


def test_the_list_is_worked_with_keys_alone(page: Page, fake: Any, base: Job) -> None:
    fake.jobs = [numbered(base, number) for number in range(40, 0, -1)]
    page.goto("/")
    expect(row_of(page, 40)).to_be_visible()
    for key in ("j", "j", "j", "k", "x"):
        page.keyboard.press(key)
    expect(page.get_by_label("Select run 00039")).to_be_checked()
    expect(row_of(page, 39).get_by_role("link", name="run 00039")).to_be_focused()
    for key in ("j", "j", "Shift+X"):
        page.keyboard.press(key)
    expect(page.get_by_role("region", name="Selected jobs")).to_contain_text("3 jobs selected")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Select all jobs up to this one")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    for _ in range(30):
        page.keyboard.press("j")
    expect(row_of(page, 7).get_by_role("link", name="run 00007")).to_be_focused()
    expect(row_of(page, 7)).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("run 00007")
    page.go_back()
    expect(row_of(page, 7)).to_be_in_viewport()
