"""The form that submits a job, against a real server."""

import re

from playwright.sync_api import Page, expect

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server


def test_a_job_is_written_checked_and_submitted(tab: Page, own_server: Server) -> None:
    tab.goto("/#/submit")
    expect(tab.get_by_text("Nothing is wrong with it.")).to_be_visible()
    submit = tab.get_by_role("button", name="Submit")
    tab.get_by_label("Recipe").select_option("shufflenet_v2")
    tab.get_by_label("Variant").select_option("0.5x")
    tab.get_by_label("Name").fill("by hand")
    tab.get_by_label("Labels", exact=True).fill("team=vision, sweep=7")
    tab.get_by_label("batch_size (images)").fill("0")
    expect(tab.get_by_role("list", name="Problems")).to_contain_text("/params/batch_size")
    expect(tab.get_by_label("batch_size (images)")).to_have_attribute("aria-invalid", "true")
    expect(submit).to_be_disabled()
    tab.get_by_label("batch_size (images)").fill("32")
    tab.get_by_label("total_iters (iterations)").fill("100")
    expect(
        tab.get_by_text("100 steps of 32 images: 3,200 images, 2.23 times the data.")
    ).to_be_visible()
    submit.click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("by hand")
    job = own_server.http.get(f"/jobs/{tab.url.rpartition('/')[2]}").json()
    assert (job["recipe"], job["variant"]) == ("shufflenet_v2", "0.5x")
    assert job["labels"] == {"team": "vision", "sweep": "7"}
    assert (job["spec"]["params"]["batch_size"], job["spec"]["params"]["total_iters"]) == (32, 100)


def test_gpus_are_a_number_or_a_range(tab: Page, own_server: Server) -> None:
    tab.goto("/#/submit")
    gpus = tab.get_by_label("GPUs", exact=True)
    gpus.fill("8:2")
    expect(gpus).to_have_attribute("aria-invalid", "true")
    expect(tab.get_by_text("min 8 is more than max 2: exchange them").first).to_be_visible()
    gpus.fill("0:2")
    expect(gpus).to_have_attribute("aria-invalid", "true")
    gpus.fill("2:8")
    tab.get_by_label("batch_size (images)").fill("24")
    expect(tab.get_by_text("it takes 2, 3, 4, 6 or 8 GPUs")).to_be_visible()
    tab.get_by_role("button", name="Submit").click()
    tab.wait_for_url(lambda url: "/jobs/" in url)
    job = own_server.http.get(f"/jobs/{tab.url.rpartition('/')[2]}").json()
    assert job["spec"]["resources"]["gpus"] == {"min": 2, "max": 8}


def test_a_job_is_cloned_with_a_change_that_is_shown(tab: Page, own_server: Server) -> None:
    agent = FakeAgent(own_server)
    job = agent.submit(name="first", params={"batch_size": 32, "learning_rate": 0.5})
    tab.goto(f"/#/jobs/{job['id']}")
    tab.get_by_role("link", name="Clone and edit").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Again: first")
    expect(tab.get_by_text("As the original.")).to_be_visible()
    tab.get_by_label("learning_rate", exact=True).fill("0.05")
    changes = tab.get_by_role("table", name="Changes")
    expect(changes.locator("tbody tr")).to_have_text(["params.learning_rate0.50.05"])
    tab.get_by_role("button", name="Submit").click()
    tab.wait_for_url(lambda url: "/jobs/" in url and job["id"] not in url)
    new = own_server.http.get(f"/jobs/{tab.url.rpartition('/')[2]}").json()
    expected = job["spec"] | {"name": None}
    expected["params"] = job["spec"]["params"] | {"learning_rate": 0.05}
    assert new["spec"] == expected
    agent.http.close()


def test_what_the_server_refuses_is_told_beside_the_field_and_nothing_is_lost(
    tab: Page,
) -> None:
    tab.goto("/#/submit")
    tab.get_by_label("Form", exact=True).select_option("folders")
    tab.get_by_label("Folder to train on").fill("../outside")
    problem = tab.get_by_role("list", name="Problems")
    expect(problem).to_contain_text("/data/train_dir")
    expect(tab.get_by_label("Folder to train on")).to_have_value("../outside")
    tab.get_by_label("Folder to train on").fill("photos/train")
    expect(tab.get_by_text("Nothing is wrong with it.")).to_be_visible()


def test_a_job_that_is_not_there_has_no_form(tab: Page) -> None:
    tab.goto("/#/submit?from=job_none")
    expect(tab.get_by_role("alert")).to_contain_text("there is no job job_none")
    expect(tab.get_by_role("button", name="Submit")).to_have_count(0)


def test_what_is_known_is_told_under_its_field_and_what_may_fail_in_the_summary(
    tab: Page, own_server: Server
) -> None:
    agent = FakeAgent(own_server)
    # Before the jobs of other tests, which any worker may take.
    agent.submit(data={"train_dir": "few/train", "val_dir": "few/val"}, priority=1)
    claim = agent.claim()
    splits = [{"name": "train", "images": 20, "classes": 2}]
    agent.beat(claim, ("started", {"step": 0, "total_steps": 9, "splits": splits}))
    tab.goto("/#/submit")
    batch = tab.get_by_label("batch_size (images)")
    batch.fill("32")
    rate = tab.get_by_label("learning_rate", exact=True)
    expect(rate).to_have_accessible_description(re.compile("for 32 the linear rule gives 0.0156"))
    tab.get_by_label("Form", exact=True).select_option("folders")
    tab.get_by_label("Folder to train on").fill("few/train")
    warning = tab.get_by_role("list", name="Warnings")
    expect(warning).to_contain_text("batch_size 32 is more than the 20 images there are")
    expect(tab.get_by_text("20 images of 2 classes to train on")).to_be_visible()
    batch.fill("10")
    expect(warning).to_have_count(0)
    expect(tab.get_by_text("an epoch has 2 steps")).to_be_visible()
    agent.http.close()


_PATH = "31312131231131223231"


def test_an_architecture_has_its_size_as_its_digits_are_typed(
    tab: Page, own_server: Server
) -> None:
    tab.goto("/#/submit")
    tab.get_by_label("Variant").select_option("by blocks and channels")
    size = tab.locator(".architecture")
    blocks = tab.get_by_label("Blocks")
    # Those of the variant that has a name, to begin with.
    expect(size).to_contain_text(" parameters")
    tab.get_by_label("Channels").fill("")
    for digits in (_PATH, _PATH.replace("3", "0")):
        blocks.fill(digits)
        path = f"/recipes/oneshot/size?classes=10&blocks={digits}"
        expected = own_server.http.get(path).json()
        expect(size).to_contain_text(f"{expected['parameters']:,} parameters")
        expect(size).to_contain_text(f"{expected['multiply_adds'] / 1e6:.4g} M multiply-adds")
    expect(size).to_contain_text("for 224 px and 10 classes")
    tab.get_by_label("Channels").fill("0" * 20)
    narrow = own_server.http.get(f"{path}&channels={'0' * 20}").json()
    assert narrow["parameters"] < expected["parameters"]
    expect(size).to_contain_text(f"{narrow['parameters']:,} parameters")
    tab.get_by_label("image_size (pixels)").fill("32")
    expect(size).to_contain_text("for 32 px")


def test_wrong_digits_are_told_at_their_field_and_right_ones_are_submitted(
    tab: Page, own_server: Server
) -> None:
    tab.goto("/#/submit")
    tab.get_by_label("Variant").select_option("by blocks and channels")
    blocks, channels = tab.get_by_label("Blocks"), tab.get_by_label("Channels")
    blocks.fill(f"{_PATH[:-1]}7")
    expect(blocks).to_have_attribute("aria-invalid", "true")
    expect(blocks).to_have_accessible_description(re.compile("at place 19 is 7"))
    expect(channels).to_have_attribute("aria-invalid", "false")
    expect(tab.get_by_role("button", name="Submit")).to_be_disabled()
    blocks.fill("x")
    expect(blocks).to_have_attribute("aria-invalid", "true")
    blocks.fill(_PATH)
    channels.fill("444")
    expect(channels).to_have_accessible_description(re.compile("these are 3"))
    channels.fill("")
    expect(tab.get_by_text("Nothing is wrong with it.")).to_be_visible()
    tab.get_by_role("button", name="Submit").click()
    tab.wait_for_url(lambda url: "/jobs/" in url)
    job = own_server.http.get(f"/jobs/{tab.url.rpartition('/')[2]}").json()
    assert job["variant"] == f"b{_PATH}"
    tab.get_by_role("link", name="Clone and edit").click()
    expect(tab.get_by_label("Blocks")).to_have_value(_PATH)


def test_a_recipe_with_several_spaces_takes_digits_of_each(tab: Page, own_server: Server) -> None:
    def size_of(**query: str) -> str:
        size = own_server.http.get("/recipes/detnas/size", params=query | {"classes": "10"}).json()
        return f"{size['parameters']:,} parameters"

    tab.goto("/#/submit")
    tab.get_by_label("Recipe").select_option("detnas")
    tab.get_by_label("Variant").select_option("by blocks and channels")
    size, blocks = tab.locator(".architecture"), tab.get_by_label("Blocks")
    # Its widths are the published ones.
    expect(tab.get_by_label("Channels")).to_have_count(0)
    blocks.fill("3" * 40)
    expect(size).to_contain_text(size_of(blocks="3" * 40))
    tab.get_by_label("Space").select_option("300M.path")
    expect(blocks).to_have_accessible_description(re.compile("20 digits"))
    blocks.fill("3" * 20)
    expect(size).to_contain_text(size_of(blocks="3" * 20, space="300M.path"))
    expect(tab.get_by_text("Nothing is wrong with it.")).to_be_visible()
    tab.get_by_role("button", name="Submit").click()
    tab.wait_for_url(lambda url: "/jobs/" in url)
    job = own_server.http.get(f"/jobs/{tab.url.rpartition('/')[2]}").json()
    assert job["variant"] == f"300M.path-b{'3' * 20}"
