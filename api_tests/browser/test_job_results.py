"""What a job has found out, on its page: results, evaluations, checks of data."""

from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page, expect

from api_tests.support.dashboard_models import an_evaluation

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_finished_job_shows_its_result(page: Page, fake: Any, a_job: Any) -> None:
    result = {"loss": 0.31, "top1_error": 0.0456, "samples": 1797}
    fake.jobs = [a_job(1, state="succeeded", reason="finished", finished_at=NOW, result=result)]
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    for text in ("4.56 %", "1,797"):
        expect(page.locator(".result")).to_contain_text(text)
    expect(page.get_by_role("button", name="Cancel…")).to_be_hidden()


def test_an_eval_shows_its_confusion_matrix_its_hardest_classes_and_its_mistakes(
    page: Page, fake: Any, a_job: Any
) -> None:
    pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
    fake.files["evaluation.json"] = an_evaluation(pixel)
    result = {
        "loss": 0.3,
        "top1_error": 0.125,
        "files": {"evaluation.json": {"bytes": 400, "sha256": "ab" * 32}},
    }
    fake.jobs = [a_job(1, kind="eval", state="succeeded", finished_at=NOW, result=result)]
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    expect(page.get_by_title("cat predicted as dog: 1")).to_have_text("1")
    expect(page.get_by_role("table", name="Classes").locator("tbody tr").first).to_contain_text(
        "25.00 %"
    )
    expect(page.locator(".mistakes li")).to_contain_text("90 % confidence")
    expect(page.locator(".figures")).to_contain_text("12.50 %")
    expect(page.get_by_role("link", name="evaluation.json")).to_be_visible()
    expect(page.locator(".charts")).to_be_hidden()
    page.set_viewport_size({"width": 375, "height": 740})
    labels = page.get_by_role("table", name="Classes").locator("tbody tr").first.locator("td")
    shown = [
        labels.nth(n).evaluate("cell => getComputedStyle(cell, '::before').content")
        for n in range(labels.count())
    ]
    assert shown == ['"Class"', '"Images"', '"Wrong"', '"Error"']


def test_a_check_of_data_shows_its_problems_and_no_charts(
    page: Page, fake: Any, a_job: Any
) -> None:
    split = {"name": "train", "images": 1300, "classes": 10, "smallest_class": 2}
    problem = {"ends_job": True, "text": "train/cat/1.png is not a readable image: replace it"}
    result = {
        "data": "photos",
        "ok": False,
        "splits": [split],
        "problems": [problem, {"ends_job": False, "text": "packed as jpeg"}],
        "problems_total": 7,
    }
    ended = {"state": "succeeded", "reason": "finished", "finished_at": NOW}
    fake.jobs = [a_job(1, kind="check_data", result=result, **ended)]
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    shown = page.locator(".result")
    for text in (
        "a job with it would fail",
        "1,300 images of 10 classes",
        "train/cat/1.png is not a readable image: replace it",
        "packed as jpeg",
        "5 more, in the file",
    ):
        expect(shown).to_contain_text(text)
    expect(page.locator(".charts")).to_be_hidden()
