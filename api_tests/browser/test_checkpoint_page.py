"""The page of one checkpoint: what it is, where it comes from, and what may be done with it."""

from typing import Any

from playwright.sync_api import Page, expect

from api_tests.support.saved_checkpoints import JOB, SHOWN, saved, with_lineage
from service.contract.actions import JobAction


def test_the_page_of_one_shows_what_it_is_and_where_it_comes_from(page: Page, fake: Any) -> None:
    shown = with_lineage(fake)
    page.goto("/#/checkpoints")
    page.get_by_role("link", name="8", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Step 8 of oneshot searched")
    expect(page.locator(".checkpoint-marks")).to_contain_text("best of its job")
    expect(page.locator(".figures")).to_contain_text("6.25 %")
    expect(page.locator(".figures").get_by_role("link", name="the maker")).to_have_attribute(
        "href", f"#/jobs/{JOB}"
    )
    files = page.get_by_role("table", name="Files")
    expect(files.get_by_role("link", name="model.safetensors")).to_have_attribute(
        "href", f"checkpoints/{shown.id}/files/model.safetensors"
    )
    expect(files).to_contain_text("ab12cd34ef" + "0" * 54)
    line = page.get_by_role("list", name="Where it comes from").get_by_role("listitem")
    expect(line).to_have_text(
        [
            "New weights, or a file",
            "job job_older oneshot searched1 removed one",
            "Earlier in this jobstep 4",
            "This checkpoint step 8 of job …000001",
        ]
    )
    branches = page.get_by_role("list", name="What came from it").get_by_role("listitem")
    expect(branches.nth(0)).to_contain_text(f"eval {SHOWN}")
    expect(branches.nth(0)).to_contain_text("24.68 %")
    expect(branches.nth(1)).to_contain_text("tuned")
    expect(branches.nth(1)).to_contain_text("step 9")
    evaluations = page.get_by_role("table", name="Evaluations")
    expect(evaluations).to_contain_text(SHOWN)
    expect(evaluations).to_contain_text("24.68 %")
    page.get_by_text("All of it, as JSON").click()
    expect(page.locator("pre")).to_contain_text('"torch": "2.9"')
    line.get_by_role("link", name="step 4").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Step 4 of oneshot searched")


def test_a_checkpoint_of_a_deleted_job_links_to_no_page_of_it(page: Page, fake: Any) -> None:
    fake.checkpoints = [saved(26)]
    page.goto(f"/#/checkpoints/{fake.checkpoints[0].id}")
    expect(page.locator(".figures dd").first).to_have_text("deleted, …000001")
    expect(page.locator(".lineage .this")).to_contain_text("step 26 of job …000001")
    expect(page.locator(f'a[href="#/jobs/{JOB}"]')).to_have_count(0)


def test_a_verification_tells_whether_every_byte_is_there(page: Page, fake: Any) -> None:
    shown = with_lineage(fake)
    page.goto(f"/#/checkpoints/{shown.id}")
    page.get_by_role("button", name="Verify").click()
    expect(page.locator(".verification")).to_have_text(
        "Whole: every byte of its 2 files (27.6 MB) is as it was written."
    )
    fake.kept.problems = ("model.safetensors: its sha256 is another", "optim.safetensors is gone")
    page.get_by_role("button", name="Verify").click()
    expect(page.locator(".verification li")).to_have_text(list(fake.kept.problems))
    expect(page.locator(".job-head .badge").first).to_have_text("damaged")
    expect(page.get_by_role("button", name="Export…")).to_have_count(0)


def test_a_deletion_says_what_it_deletes_and_is_offered_only_where_it_is_accepted(
    page: Page, fake: Any, console: list[str]
) -> None:
    shown = with_lineage(fake, tags=("paper",))
    page.goto(f"/#/checkpoints/{shown.id}")
    pin = page.get_by_role("button", name="Pin step 8")
    delete = page.get_by_role("button", name="Delete…")
    pin.click()
    expect(delete).to_have_count(0)
    pin.click()
    delete.click()
    dialog = page.get_by_role("dialog", name="Delete this checkpoint?")
    for text in ("2 files, 27.6 MB, of step 8", shown.path, "tagged paper", "2 jobs used it"):
        expect(dialog).to_contain_text(text)
    fake.kept.refusal = "job_1 starts from it and has not ended"
    dialog.get_by_role("button", name="Delete it").click()
    expect(dialog.get_by_role("alert")).to_have_text(fake.kept.refusal)
    fake.kept.refusal = ""
    dialog.get_by_role("button", name="Delete it").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".job-head .badge").first).to_have_text("purged")
    expect(page.get_by_text("Its folder has been removed.")).to_be_visible()
    expect(page.get_by_role("table", name="Files").get_by_role("link")).to_have_count(0)
    expect(page.get_by_role("button", name="Verify")).to_have_count(0)
    assert [path for path, _ in fake.sent("DELETE")] == [f"/checkpoints/{shown.id}"]
    assert all("409" in line for line in console)
    console.clear()


def test_what_the_server_allows_may_be_made_of_a_checkpoint(page: Page, fake: Any) -> None:
    shown = with_lineage(fake)
    path = f"/checkpoints/{shown.id}/export"
    formats = {"format": ("pth.tar", "onnx")}
    actions = (
        JobAction(name="evaluate", path="/jobs"),
        JobAction(name="a_newer_one", path="/jobs"),
        JobAction(name="export", path=path, choices=formats),
    )
    fake.kept.replace(shown.model_copy(update={"actions": actions}))
    page.goto(f"/#/checkpoints/{shown.id}")
    expect(page.locator(".verbs a.button")).to_have_text(["Evaluate…"])
    expect(page.get_by_role("link", name="Evaluate…")).to_have_attribute(
        "href", f"#/submit?checkpoint={shown.id}&action=evaluate"
    )
    page.get_by_role("button", name="Export…").click()
    dialog = page.get_by_role("dialog", name="Export this checkpoint")
    expect(dialog.get_by_role("option")).to_have_count(2)
    dialog.get_by_role("checkbox").check()
    dialog.get_by_label("Format").select_option("ONNX")
    dialog.get_by_role("button", name="Export", exact=True).click()
    expect(page.locator(".identity")).to_contain_text("export")
    assert fake.sent("POST")[-1] == (path, {"format": "onnx", "module_prefix": False})


def test_a_checkpoint_that_is_not_there_is_said_so(page: Page, console: list[str]) -> None:
    page.goto("/#/checkpoints/ckpt_none")
    expect(page.get_by_text("There is no checkpoint ckpt_none.")).to_be_visible()
    assert all("404" in line for line in console)
    console.clear()
