"""Texts of users on the page: markup and control characters are text, and no name is blank."""

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.contract.jobs import Event

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LINK = '<a href="https://evil.example">cat</a>'


def _evaluation(fake: Any, a_job: Any, names: list[str], preview: str) -> None:
    wrong = {"image": "x\u202egnp.png", "class": names[0], "predicted": names[1], "confidence": 0.9}
    fake.files["evaluation.json"] = {
        "class_names": names,
        "confusion_matrix": [[3, 1], [0, 4]],
        "per_class": [
            {"class": name, "samples": 4, "correct": 3, "accuracy": 0.75} for name in names
        ],
        "wrong": [wrong | {"preview": preview}],
        "wrong_total": 1,
    }
    files = {"evaluation.json": {"bytes": 400, "sha256": "ab" * 32}}
    result = {"loss": 0.3, "top1_error": 0.125, "files": files}
    fake.jobs = [a_job(1, kind="eval", state="succeeded", finished_at=NOW, result=result)]


def test_a_class_name_with_markup_is_text_in_the_confusion_matrix(
    page: Page, fake: Any, a_job: Any
) -> None:
    names = [LINK, "R&amp;D <b>x</b>"]
    _evaluation(fake, a_job, names, "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=")
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    matrix = page.locator(".matrix")
    for name in names:
        expect(matrix.get_by_role("columnheader", name=name)).to_have_count(1)
        expect(matrix.get_by_role("rowheader", name=name)).to_have_count(1)
        expect(page.get_by_role("table", name="Classes")).to_contain_text(name)
    assert matrix.locator("a").count() == 0
    expect(page.locator(".mistakes li")).to_contain_text(f"{names[0]} → {names[1]}")
    expect(page.locator(".mistakes li")).to_have_attribute("title", "x\\u202egnp.png")


def test_a_preview_is_an_image_of_the_file_and_nothing_from_elsewhere(
    page: Page, fake: Any, a_job: Any
) -> None:
    _evaluation(fake, a_job, ["\u3164", " "], "https://evil.example/pixel.png")
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    expect(page.get_by_role("table", name="Classes")).to_contain_text('"\u3164"')
    expect(page.locator(".matrix thead th")).to_have_text(['"\u3164"', '" "'])
    assert page.locator(".mistakes img").count() == 0


@pytest.mark.parametrize("name", [" ", "\u200b\u3164\u2800\u00a0\t"])
def test_a_job_of_a_blank_name_is_called_by_its_id(
    page: Page, fake: Any, a_job: Any, name: str
) -> None:
    fake.jobs = [a_job(1, name=name)]
    page.goto("/")
    page.get_by_role("link", name=fake.jobs[0].id).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(fake.jobs[0].id)


def test_what_would_turn_the_text_around_it_is_an_escape(page: Page, fake: Any, a_job: Any) -> None:
    name = "a\u202egnp.exe\x1b[31m\u0085"
    shown = "a\\u202egnp.exe\\u001b[31m\\u0085"
    fake.jobs = [a_job(1, name=name, labels={"k": name}, state="failed", message=f"{name}\nnext")]
    job_id = fake.jobs[0].id
    fake.events = [Event(number=1, job_id=job_id, kind="note", message=name, created_at=NOW)]
    page.goto("/")
    page.get_by_role("link", name=shown, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(shown)
    expect(page.locator(".labels")).to_have_text(f"k: {shown}")
    expect(page.locator(".events li")).to_contain_text(shown)
    expect(page.locator(".failure .reason")).to_contain_text("next")
    assert page.title() == f"✗ {shown} \N{EN DASH} Trainyard"
    assert page.evaluate(r"/[\u202e\u001b\u0085]/.test(document.body.textContent)") is False


def test_a_log_has_no_control_sequences_and_the_last_state_of_a_progress_bar(
    page: Page, ask_again: Any, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(1)]
    fake.log = "\x1b[1;31mred\x1b[0m\r\n\x1b]0;title\x07bell \x07\u202e\n 1 %|# |\r50 %|##|\r"
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    log = page.get_by_role("region", name="Log")
    begin = "red\nbell \\u0007\\u202e\n"
    expect(log).to_have_js_property("textContent", f"{begin}50 %|##|")
    fake.log += "\x1b[2K99 %|##|\x1b[3"
    ask_again()
    expect(log).to_have_js_property("textContent", f"{begin}99 %|##|")
    fake.log += "2m done\nend"
    ask_again()
    expect(log).to_have_js_property("textContent", f"{begin}99 %|##| done\nend")
    fake.log += " of it\n"
    ask_again()
    expect(log).to_have_js_property("textContent", f"{begin}99 %|##| done\nend of it\n")
