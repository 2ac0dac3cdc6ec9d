"""The page of all checkpoints: narrow, sort, pin, tag, import; and the short table of a job."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.saved_checkpoints import HOSTILE, JOB, NOW, SHOWN, saved, with_lineage
from service.contract.import_files import ImportFile, ImportFiles

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = """async () => (await axe.run()).violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html }) => `${id}: ${html}`))"""


def steps(page: Page) -> Any:
    return page.locator(".checkpoint-list .step a")


def test_a_view_is_narrowed_and_sorted_and_its_address_is_all_of_it(page: Page, fake: Any) -> None:
    fake.checkpoints = [
        saved(1, recipe="detnas"),
        saved(2, pinned=True, tags=("paper",)),
        saved(3, "final"),
        saved(4, metrics={}, state="damaged"),
    ]
    page.goto("/#/checkpoints")
    expect(steps(page)).to_have_text(["4", "3", "2", "1"])
    expect(page.get_by_role("link", name="Checkpoints", exact=True)).to_have_attribute(
        "aria-current", "page"
    )
    page.get_by_label("Recipe", exact=True).fill("oneshot")
    expect(steps(page)).to_have_text(["4", "3", "2"])
    page.get_by_role("button", name="Top-1 error").click()
    expect(steps(page)).to_have_text(["3", "2"])
    expect(page.get_by_role("columnheader", name="Top-1 error")).to_have_attribute(
        "aria-sort", "ascending"
    )
    page.get_by_role("button", name="Top-1 error").click()
    expect(steps(page)).to_have_text(["2", "3"])
    page.get_by_label("Pinned", exact=True).select_option("pinned")
    expect(steps(page)).to_have_text(["2"])
    assert page.url.endswith(
        "#/checkpoints?recipe=oneshot&order_by=-metrics.top1_error&pinned=true"
    )
    page.reload()
    expect(steps(page)).to_have_text(["2"])
    expect(page.get_by_label("Sort", exact=True)).to_have_value("-metrics.top1_error")
    page.get_by_label("Kind", exact=True).select_option("final weights")
    expect(page.get_by_role("heading", name="No checkpoint is kept that fits")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(steps(page)).to_have_text(["1", "2", "3"])


def test_the_next_page_is_loaded_as_one_scrolls(page: Page, fake: Any) -> None:
    fake.checkpoints = [saved(step) for step in range(1, 131)]
    page.goto("/#/checkpoints")
    expect(steps(page)).to_have_count(50)
    page.mouse.wheel(0, 20_000)
    expect(steps(page)).to_have_count(100)
    page.mouse.wheel(0, 20_000)
    expect(steps(page)).to_have_count(130)
    expect(page.get_by_role("button", name="Load more")).to_have_count(0)
    assert steps(page).all_inner_texts() == [str(step) for step in range(130, 0, -1)]


def test_the_latest_and_the_best_are_marked(page: Page, fake: Any) -> None:
    fake.checkpoints = [saved(1), saved(2, metrics={"top1_error": 0.01}), saved(3)]
    page.goto("/#/checkpoints")
    rows = page.locator("tr[data-checkpoint]")
    expect(rows.nth(0)).to_contain_text("latest")
    expect(rows.nth(1)).to_contain_text("best")
    expect(page.locator(".tag", has_text="latest")).to_have_count(1)
    expect(page.locator(".tag", has_text="best")).to_have_count(1)


def test_removed_ones_are_folded_and_unfolded_by_the_address(page: Page, fake: Any) -> None:
    fake.checkpoints = [saved(1, state="purged", pinned=True), saved(2)]
    page.goto("/#/checkpoints")
    expect(steps(page)).to_have_text(["2"])
    assert all("retained=false" not in path for _, path, *_ in fake.calls)
    page.get_by_text("Removed checkpoints").click()
    removed = page.get_by_role("table", name="Removed checkpoints")
    expect(removed.locator(".step a")).to_have_text(["1"])
    expect(removed).to_contain_text("purged")
    expect(removed.get_by_role("button", name="Pin step 1")).to_have_count(0)
    assert page.url.endswith("?removed=1")
    page.reload()
    expect(removed.locator(".step a")).to_have_text(["1"])


def test_pins_and_tags_are_changed_in_place(page: Page, fake: Any) -> None:
    fake.checkpoints = [saved(1, tags=("paper", HOSTILE))]
    page.goto("/#/checkpoints")
    path = f"/checkpoints/{fake.checkpoints[0].id}"
    pin = page.get_by_role("button", name="Pin step 1")
    pin.click()
    expect(pin).to_have_attribute("aria-pressed", "true")
    assert fake.sent("PATCH") == [(path, {"pinned": True})]
    expect(page.get_by_role("link", name=SHOWN)).to_be_visible()
    page.get_by_role("button", name="Edit the tags of step 1").click()
    page.get_by_role("button", name=f"Remove the tag {SHOWN}").click()
    page.get_by_label("New tags").press_sequentially("best-of-may, v2")
    page.keyboard.press("Enter")
    expect(page.locator(".marks a.tag")).to_have_text(["paper", "best-of-may", "v2"])
    assert fake.sent("PATCH")[1:] == [(path, {"tags": ["paper", "best-of-may", "v2"]})]
    expect(page.get_by_role("button", name="Edit the tags of step 1")).to_be_focused()
    page.get_by_role("link", name="v2").click()
    expect(page.get_by_label("Tag", exact=True)).to_have_value("v2")
    expect(steps(page)).to_have_text(["1"])


def test_a_tag_that_is_refused_stays_to_be_mended_with_the_reason(
    page: Page, fake: Any, console: list[str]
) -> None:
    fake.checkpoints = [saved(1)]
    fake.kept.refusal = "tags/0: a tag has letters, digits, '.', '_' and '-'"
    page.goto("/#/checkpoints")
    page.get_by_role("button", name="Edit the tags of step 1").click()
    page.get_by_label("New tags").fill("ü")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(fake.kept.refusal)
    expect(page.get_by_label("New tags")).to_have_value("ü")
    page.get_by_label("New tags").press("Escape")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert all("422" in line for line in console)
    console.clear()


def test_a_file_is_imported_that_is_chosen_from_the_import_folder(page: Page, fake: Any) -> None:
    names = ("series/v2 1.5x.pth", f"{HOSTILE}.pth", "old.safetensors")
    fake.kept.imports = ImportFiles(
        data=tuple(ImportFile(path=name, bytes=27_600_000, modified_at=NOW) for name in names)
    )
    page.goto("/#/checkpoints")
    expect(page.get_by_role("heading", name="No checkpoints yet")).to_be_visible()
    page.get_by_role("button", name="Import…").click()
    dialog = page.get_by_role("dialog", name="Import weights")
    files = dialog.get_by_role("list", name="Files of the import folder").get_by_role("button")
    expect(files).to_have_count(3)
    expect(files.nth(1)).to_contain_text(f"{SHOWN}.pth")
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Choose a file")
    dialog.get_by_label("File below the import folder").fill("V2")
    expect(files).to_have_count(1)
    files.click()
    expect(files).to_have_count(3)
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".identity")).to_contain_text("import")
    assert fake.sent("POST") == [("/checkpoints/import", {"file": "series/v2 1.5x.pth"})]


@pytest.mark.parametrize(
    ("listing", "text"),
    [
        (ImportFiles(), "write the path of a file in theirs"),
        (ImportFiles(problem="the import folder cannot be read"), "cannot be read"),
    ],
)
def test_a_file_that_the_server_does_not_see_is_imported_by_its_path(
    page: Page, fake: Any, listing: ImportFiles, text: str
) -> None:
    fake.kept.imports = listing
    page.goto("/#/checkpoints")
    page.get_by_role("button", name="Import…").click()
    dialog = page.get_by_role("dialog", name="Import weights")
    expect(dialog).to_contain_text(text)
    dialog.get_by_label("File below the import folder").fill("theirs.pth")
    dialog.get_by_label("Key of the weights").fill("state_dict_ema")
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".identity")).to_contain_text("import")
    assert fake.sent("POST")[0][1] == {"file": "theirs.pth", "key": "state_dict_ema"}


def test_the_pages_fit_a_telephone(page: Page, fake: Any) -> None:
    shown = with_lineage(fake, tags=("t" * 63,), variant="v" * 200)
    page.set_viewport_size({"width": 375, "height": 740})
    for address in ("/#/checkpoints", f"/#/checkpoints/{shown.id}"):
        page.goto(address)
        expect(page.get_by_text("v" * 200).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_the_job_has_a_short_table_and_folds_the_others(page: Page, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(1, best_checkpoint=saved(2).id, latest_checkpoint=saved(9).id)]
    fake.checkpoints = [saved(step, pinned=step == 4) for step in range(2, 10)]
    fake.checkpoints += [saved(1, state="purged")]
    page.goto(f"/#/jobs/{JOB}")
    rows = page.get_by_role("table", name="Checkpoints", exact=True).locator("tr .step b")
    expect(rows).to_have_text(["9", "8", "7", "4", "2"])
    page.get_by_text("3 older checkpoints").click()
    older = page.get_by_role("table", name="Older checkpoints").locator("tr .step b")
    expect(older).to_have_text(["6", "5", "3"])
    page.get_by_text("Removed checkpoints").click()
    expect(page.get_by_role("table", name="Removed checkpoints")).to_contain_text("removed")
    page.get_by_role("link", name="All of this job").click()
    expect(page.get_by_label("Job", exact=True)).to_have_value(JOB)
    expect(steps(page)).to_have_count(8)


@pytest.mark.skipif(not AXE.exists(), reason="needs `make check` once")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_the_pages_keep_the_rules_of_accessibility(
    page: Page, fake: Any, scheme: Any, width: int
) -> None:
    shown = with_lineage(fake, tags=("paper",), pinned=True)
    fake.kept.imports = ImportFiles(data=(ImportFile(path="a.pth", bytes=9, modified_at=NOW),))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/#/checkpoints?removed=1&order_by=-step")
    expect(page.get_by_role("table", name="Removed checkpoints")).to_be_visible()
    page.evaluate(AXE.read_text())
    assert page.evaluate(VIOLATIONS) == []
    page.get_by_role("button", name="Import…").click()
    expect(page.get_by_role("button", name="a.pth")).to_be_visible()
    assert page.evaluate(VIOLATIONS) == []
    page.keyboard.press("Escape")
    page.goto(f"/#/checkpoints/{shown.id}")
    expect(page.get_by_role("table", name="Evaluations")).to_be_visible()
    page.get_by_text("All of it, as JSON").click()
    assert page.evaluate(VIOLATIONS) == []
