"""A job's page, in a real browser."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.contract.jobs import Attempt, Event

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_diverged_loss_has_an_exponent(page: Page, fake: Any, a_job: Any) -> None:
    # Every number of this size is whole.
    fake.jobs = [a_job(1, state="running", metrics={"val_loss": 141541181479837060000.0})]
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    expect(page.locator("main")).to_contain_text("1.42e+20")


def test_the_page_lists_checkpoints_with_their_files(
    page: Page, fake: Any, a_job: Any, a_checkpoint: Any
) -> None:
    job = a_job(1, best_checkpoint=f"ckpt_{100:026d}", latest_checkpoint=f"ckpt_{200:026d}")
    fake.jobs = [job]
    fake.checkpoints = [a_checkpoint(job.id, 100), a_checkpoint(job.id, 200, "final")]
    page.goto(f"/#/jobs/{job.id}")
    rows = page.locator("tr[data-checkpoint]")
    newest, oldest = rows.nth(0), rows.nth(1)
    for text in ("200", "final", "latest", "12.34 %", "27.6 MB", "13.8 MB", "ab12cd34ef"):
        expect(newest).to_contain_text(text)
    expect(oldest).to_contain_text("best")
    link = oldest.get_by_role("link", name="model.safetensors")
    expect(link).to_have_attribute(
        "href", f"checkpoints/{fake.checkpoints[0].id}/files/model.safetensors"
    )


def test_the_page_tells_why_a_job_failed_and_what_happened(
    page: Page, fake: Any, a_job: Any
) -> None:
    job = a_job(1, state="failed", reason="out_of_memory", message="halve batch_size")
    fake.jobs = [job]
    fake.attempts = [
        Attempt(
            job_id=job.id, number=1, worker_id="wrk_7", state="failed", reason="out_of_memory",
            created_at=NOW, started_at=NOW, finished_at=NOW.replace(minute=3),
        )
    ]  # fmt: skip
    fake.events = [
        Event(number=n, job_id=job.id, kind="note", message=f"event {n}", created_at=NOW)
        for n in (1, 2)
    ]
    page.goto(f"/#/jobs/{job.id}")
    expect(page.get_by_text("Out of memory: halve batch_size")).to_be_visible()
    for text in ("wrk_7", "failed", "3 min"):
        expect(page.get_by_role("table", name="Attempts")).to_contain_text(text)
    expect(page.locator(".events li")).to_have_count(2)
    expect(page.locator(".events li").first).to_contain_text("event 2")


def test_the_page_shows_how_many_gpus_each_attempt_had(page: Page, fake: Any, a_job: Any) -> None:
    job = a_job(1)
    fake.jobs = [job]

    def attempt(number: int, gpu_count: int | None) -> Attempt:
        state = "released" if number == 1 else "running"
        return Attempt(
            job_id=job.id, number=number, worker_id="wrk_7", state=state, created_at=NOW,
            started_at=NOW, gpu_count=gpu_count,
        )  # fmt: skip

    fake.attempts = [attempt(1, 2), attempt(2, 8)]
    page.goto(f"/#/jobs/{job.id}")
    table = page.get_by_role("table", name="Attempts")
    expect(table.get_by_role("columnheader")).to_contain_text(["Worker", "GPUs"])
    expect(table.get_by_role("row").nth(1).get_by_role("cell").nth(3)).to_have_text("8")
    expect(table.get_by_role("row").nth(2).get_by_role("cell").nth(3)).to_have_text("2")
    fake.attempts = [attempt(1, 0)]
    page.reload()
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table.get_by_role("columnheader").filter(has_text="GPUs")).to_have_count(0)


def test_the_page_shows_where_the_time_went(
    page: Page, ask_again: Any, fake: Any, a_job: Any
) -> None:
    spent = {"data_wait_seconds": 300.0, "step_seconds": 199.0, "save_seconds": 1.0}
    progress = {"step": 1, "total_steps": 9}
    fake.jobs = [a_job(1, progress=progress)]
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    expect(page.locator(".job-head .badge")).to_have_text("running")
    expect(page.get_by_role("heading", name="Where the time went")).to_be_hidden()
    fake.replace(a_job(1, progress=progress | {"time_spent": spent}, version=2))
    ask_again()
    texts = ["training 40 %", "waiting for data 60 %", "saving below 1 %"]
    section = page.locator(".time-spent")
    expect(section.get_by_role("listitem")).to_have_text(texts)
    expect(section).to_contain_text("of 8 min 20 s")
    bar = section.get_by_role("img", name=f"Where the time went: {', '.join(texts)}")
    expect(bar.locator("span")).to_have_count(3)
    shares = bar.evaluate(
        "bar => [...bar.children].map(each => each.offsetWidth / bar.offsetWidth)"
    )
    assert shares[:2] == pytest.approx([0.4, 0.6], abs=0.02)


def test_cancelling_asks_first_and_then_sends_one_graceful_cancel(
    page: Page, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(1, name="doomed")]
    job_id = fake.jobs[0].id
    page.goto(f"/#/jobs/{job_id}")
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator(".job-head .badge")).to_have_text("cancelling")
    expect(page.locator("#announcer")).to_have_text("doomed is now cancelling")
    sent = [(path, json.loads(body)) for method, path, _, body in fake.calls if method == "POST"]
    assert sent == [(f"/jobs/{job_id}/cancel", {"mode": "graceful"})]


@pytest.mark.parametrize("name", ["job_none", "%", "100%", "constructor"])
def test_an_unknown_job_is_said_to_be_unknown(page: Page, console: list[str], name: str) -> None:
    page.goto(f"/#/jobs/{name}")
    expect(page.get_by_text(f"There is no job {name}.")).to_be_visible()
    page.get_by_role("link", name="← Jobs").click()
    expect(page.get_by_role("heading", name="No jobs yet")).to_be_visible()
    # 422 for what cannot be an id.
    assert all("404" in line or "422" in line for line in console)
    console.clear()


def test_a_job_that_is_deleted_while_it_is_shown_has_no_buttons_any_more(
    page: Page, fake: Any, a_job: Any, ask_again: Any, console: list[str]
) -> None:
    fake.jobs = [a_job(1, state="failed", latest_checkpoint="ckpt_1")]
    job_id = fake.jobs[0].id
    page.goto(f"/#/jobs/{job_id}")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    fake.jobs = []
    ask_again()
    expect(page.get_by_text(f"{job_id} has been deleted.")).to_be_visible()
    expect(page.locator(".verbs")).to_be_hidden()
    assert all("404" in line for line in console)
    console.clear()


def test_names_that_javascript_has_itself_are_names_like_any(
    page: Page, fake: Any, a_job: Any
) -> None:
    metrics = {"constructor": 1.5, "__proto__": 2.5, "toString": 3.5}
    fake.jobs = [a_job(1, metrics=metrics), a_job(2, kind="constructor")]
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    for shown in ("Constructor1.500", "proto  2.500", "ToString3.500"):
        expect(page.locator(".figures")).to_contain_text(shown)
    page.goto(f"/#/jobs/{fake.jobs[1].id}")
    expect(page.locator(".identity")).to_contain_text("constructor")


def test_a_part_that_fails_says_so_and_hides_nothing_else(
    page: Page, fake: Any, a_job: Any, a_checkpoint: Any, ask_again: Any, console: list[str]
) -> None:
    fake.jobs = [a_job(1)]
    fake.checkpoints = [a_checkpoint(fake.jobs[0].id, 100)]
    fake.series, fake.log = {"loss": [[1, 2.3]]}, "step 1"
    fake.broken_parts = {"metrics"}
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    problem = page.get_by_text("Charts: the server made a mistake")
    expect(problem).to_be_visible()
    expect(page.locator("tr[data-checkpoint]")).to_have_count(1)
    expect(page.get_by_role("region", name="Log")).to_contain_text("step 1")
    fake.broken_parts = set()
    ask_again()
    expect(problem).to_be_hidden()
    expect(page.locator(".legend")).to_contain_text(["Training loss 2.300"])
    assert all("500" in line for line in console)
    console.clear()


def test_a_part_that_is_not_answered_holds_up_nothing_else(
    page: Page, fake: Any, a_job: Any, a_checkpoint: Any, ask_again: Any
) -> None:
    fake.jobs = [a_job(1)]
    fake.checkpoints = [a_checkpoint(fake.jobs[0].id, 100)]
    fake.stuck_parts = {"metrics"}
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    expect(page.locator("tr[data-checkpoint]")).to_have_count(1)
    fake.replace(a_job(1, version=2, state="succeeded"))
    ask_again()
    expect(page.locator(".job-head .badge")).to_have_text("succeeded")
    expect(page.locator("#banner")).not_to_have_class("banner shown")
    fake.release.set()


def test_the_page_fits_a_telephone(page: Page, fake: Any, a_job: Any, a_checkpoint: Any) -> None:
    fake.jobs = [a_job(1, name="long" * 40)]
    fake.series = {"loss": [[1, 2.3], [60, 0.9]]}
    fake.checkpoints = [a_checkpoint(fake.jobs[0].id, 100)]
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    expect(page.locator(".chart canvas").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
