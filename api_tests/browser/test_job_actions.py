"""Pausing, resuming and retrying a job from its page."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        ("queued", ["Pause"]),
        ("running", ["Pause"]),
        ("pausing", ["Resume"]),
        ("paused", ["Resume"]),
        ("cancelling", []),
        ("failed", ["Retry"]),
        ("succeeded", []),
    ],
)
def test_the_page_offers_what_the_state_allows(
    page: Page, fake: Any, a_job: Any, state: str, offered: list[str]
) -> None:
    fake.jobs = [a_job(1, state=state)]
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    expect(page.locator(".job-head .badge")).to_have_text(state)
    for name in ("Pause", "Resume", "Retry"):
        expect(page.get_by_role("button", name=name)).to_have_count(int(name in offered))


def test_a_job_is_paused_and_resumed(page: Page, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(1, name="tired")]
    job_id = fake.jobs[0].id
    page.goto(f"/#/jobs/{job_id}")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".job-head .badge")).to_have_text("pausing")
    fake.replace(a_job(1, name="tired", state="paused", reason="paused"))
    expect(page.locator(".job-head .badge")).to_have_text("paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".job-head .badge")).to_have_text("queued")
    sent = [path for method, path, _, _ in fake.calls if method == "POST"]
    assert sent == [f"/jobs/{job_id}/pause", f"/jobs/{job_id}/resume"]


@pytest.mark.parametrize(("saved", "origin"), [("ckpt_1", "latest"), (None, "start")])
def test_a_retry_goes_on_from_what_was_saved_and_leads_to_the_new_job(
    page: Page, fake: Any, a_job: Any, saved: str | None, origin: str
) -> None:
    fake.jobs = [a_job(1, state="failed", latest_checkpoint=saved)]
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    page.get_by_role("button", name="Retry").click()
    page.wait_for_url(f"**/#/jobs/job_{9:026d}")
    expect(page.locator(".job-head .badge")).to_have_text("queued")
    bodies = [json.loads(body) for method, _, _, body in fake.calls if method == "POST"]
    assert bodies == [{"from": origin}]


def test_a_job_that_has_succeeded_offers_what_may_be_made_of_it(
    page: Page, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(1, state="succeeded", latest_checkpoint="ckpt_1")]
    job_id = fake.jobs[0].id
    page.goto(f"/#/jobs/{job_id}")
    for name, action in (
        ("Train longer…", "train_longer"),
        ("Evaluate…", "evaluate"),
        ("Fine-tune…", "fine_tune"),
    ):
        expect(page.get_by_role("link", name=name)).to_have_attribute(
            "href", f"#/submit?from={job_id}&action={action}"
        )
    page.get_by_role("button", name="Export…").click()
    page.get_by_role("dialog").get_by_label("Format").select_option("ONNX")
    page.get_by_role("dialog").get_by_role("button", name="Export").click()
    page.wait_for_url(f"**/#/jobs/job_{9:026d}")
    body = {"format": "onnx", "module_prefix": False}
    assert fake.sent("POST") == [("/checkpoints/ckpt_1/export", body)]


@pytest.mark.parametrize("state", ["failed", "succeeded"])
def test_a_job_that_has_saved_nothing_offers_nothing_to_be_made_of_it(
    page: Page, fake: Any, a_job: Any, state: str
) -> None:
    fake.jobs = [a_job(1, state=state)]
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    expect(page.locator(".job-head .badge")).to_have_text(state)
    expect(page.locator(".verbs a.button")).to_have_text(["Clone and edit"])
    expect(page.get_by_role("button", name="Export…")).to_have_count(0)


def test_a_refusal_is_told_beside_the_button(
    page: Page, fake: Any, a_job: Any, console: list[str]
) -> None:
    fake.jobs, fake.refusal = [a_job(1)], "it has ended meanwhile"
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".job-actions [role=alert]")).to_have_text("it has ended meanwhile")
    assert all("409" in line for line in console)
    console.clear()
