"""The page of the workers, in a real browser."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.dashboard_workers import a_worker, sample_series

ROW = "tr[data-worker]"
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


def hosts(page: Page) -> list[str]:
    return page.locator(f"{ROW} .unfold").all_text_contents()


def with_use(number: int, cpu: float | None, **fields: Any) -> dict[str, Any]:
    worker = a_worker(number, **fields)
    return worker | {"sample": worker["sample"] | {"cpu_use": cpu}}


def test_a_worker_is_shown_with_its_use_its_jobs_and_where_it_is(
    page: Page, fake: Any, a_job: Any
) -> None:
    job = a_job(1, name="first run")
    fake.jobs = [job]
    fake.workers = [a_worker(7, gpus=8, jobs=[job.id], job_names={job.id: "first run"})]
    page.goto("/#/workers")
    row = page.locator(ROW)
    for text in ("gpu-7", "zone=a", "active", "8 \N{MULTIPLICATION SIGN} NVIDIA H100", "85 °C"):
        expect(row).to_contain_text(text)
    expect(row.get_by_role("meter", name="CPU of gpu-7")).to_have_attribute("aria-valuenow", "59")
    expect(row.get_by_role("meter", name="Disk of gpu-7")).to_have_attribute(
        "aria-valuetext", "72 %"
    )
    expect(row.get_by_role("img", name=re.compile("8 GPUs: .* used on average"))).to_be_visible()
    row.get_by_role("link", name="first run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("first run")


def test_workers_are_found_by_text_and_by_what_they_do_and_the_address_has_it(
    page: Page, fake: Any
) -> None:
    fake.workers = [
        a_worker(1, jobs=["job_1"], job_names={"job_1": "resnet"}),
        a_worker(2, labels={"zone": "b"}),
        a_worker(3, state="quarantined", message="3 different jobs failed"),
    ]
    page.goto("/#/workers")
    expect(page.locator(ROW)).to_have_count(3)
    page.get_by_role("navigation", name="Workers by what they do").get_by_text("idle").click()
    expect(page.locator(ROW)).to_have_count(1)
    expect(page).to_have_url(re.compile("state=idle"))
    page.get_by_role("link", name="all 3").click()
    page.get_by_role("searchbox", name="Find workers").press_sequentially("ZONE=A transformer")
    expect(page.locator(ROW)).to_have_count(0)
    page.get_by_role("searchbox", name="Find workers").fill("zone=a resnet")
    expect(page.locator(ROW)).to_have_count(1)
    page.reload()
    expect(page.locator(ROW)).to_have_count(1)
    expect(page.get_by_role("searchbox", name="Find workers")).to_have_value("zone=a resnet")


def test_workers_are_sorted_by_a_column_and_back(page: Page, fake: Any) -> None:
    fake.workers = [with_use(10, 0.2), with_use(2, None), with_use(1, 0.9)]
    page.goto("/#/workers")
    expect(page.locator(ROW)).to_have_count(3)
    assert hosts(page) == ["gpu-1", "gpu-2", "gpu-10"]
    cpu = page.get_by_role("columnheader", name="CPU")
    cpu.get_by_role("button").click()
    expect(cpu).to_have_attribute("aria-sort", "descending")
    assert hosts(page) == ["gpu-1", "gpu-10", "gpu-2"]
    cpu.get_by_role("button").click()
    expect(cpu).to_have_attribute("aria-sort", "ascending")
    assert hosts(page) == ["gpu-10", "gpu-1", "gpu-2"]


def test_an_unfolded_worker_shows_each_gpu_its_recipes_and_the_charts_of_its_use(
    page: Page, fake: Any
) -> None:
    fake.workers, fake.samples = [a_worker(1, gpus=2)], sample_series(2)
    page.goto("/#/workers")
    page.get_by_role("button", name="gpu-1").click()
    expect(page).to_have_url(re.compile("open=wrk_"))
    gpus = page.get_by_role("table", name="GPUs of gpu-1")
    expect(gpus.get_by_role("row")).to_have_count(3)
    for text in ("27 GiB of 80 GiB", "55 °C", "340 W", "free"):
        expect(gpus.get_by_role("row").nth(2)).to_contain_text(text)
    expect(page.locator(".about")).to_contain_text("oneshot, shufflenet_v2")
    expect(page.locator(".about")).to_contain_text("7.2 TB of 10.0 TB")
    titles = ["Host", "GPU use", "GPU memory", "GPU temperature", "GPU power"]
    expect(page.locator(".chart h2")).to_have_text(titles)
    plot = page.locator(".chart").nth(1).locator(".plot")
    expect(plot).to_have_attribute("aria-label", re.compile(r"GPU use at time .*: GPU 0 \d+ %"))
    page.get_by_role("combobox", name="Last").select_option("week")
    expect(page).to_have_url(re.compile("span=week"))
    expect(page.locator(".chart")).to_have_count(5)


@pytest.mark.parametrize(
    ("worker", "button", "verb", "after"),
    [
        (a_worker(1), "Drain", "drain", "draining"),
        (a_worker(1, state="draining"), "Let it claim again", "resume", "active"),
        (a_worker(1, state="quarantined"), "End the quarantine", "resume", "active"),
    ],
    ids=["drain", "undo", "quarantine"],
)
def test_a_worker_is_drained_and_claims_again(
    page: Page, fake: Any, worker: Any, button: str, verb: str, after: str
) -> None:
    fake.workers = [worker]
    page.goto(f"/#/workers?open={worker['id']}")
    page.get_by_role("button", name=button).click()
    expect(page.locator(ROW).locator(".badge")).to_have_text(after)
    assert ("POST", f"/workers/{worker['id']}/{verb}", 202, "") in fake.calls


def test_a_quarantine_says_why_and_a_refused_end_of_it_too(
    page: Page, fake: Any, console: list[str]
) -> None:
    fake.workers = [a_worker(1, state="quarantined", message="its volume is another one")]
    fake.refusal = "mount the server's volume; the worker goes on by itself then"
    page.goto("/#/workers")
    expect(page.locator(ROW)).to_contain_text("its volume is another one")
    page.get_by_role("button", name="gpu-1").click()
    page.get_by_role("button", name="End the quarantine").click()
    expect(page.get_by_role("alert")).to_contain_text("mount the server's volume")
    console.clear()


def test_workers_that_have_ended_are_folded(page: Page, fake: Any) -> None:
    fake.ended_workers = [a_worker(4, state="gone", message="the worker was shut down")]
    page.goto("/#/workers")
    expect(page.get_by_text("the worker was shut down")).to_have_count(0)
    page.get_by_text("Workers that have ended").click()
    expect(page.get_by_text("the worker was shut down")).to_be_visible()


def test_a_jobs_page_has_the_use_of_its_host_folded_while_there_are_samples(
    page: Page, ask_again: Any, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(1)]
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    expect(page.get_by_role("heading", name="Submission")).to_be_visible()
    expect(page.get_by_text("Host and GPU")).to_have_count(0)
    fake.samples = sample_series(1)
    ask_again()
    page.get_by_text("Host and GPU").click()
    use = page.locator(".host-use .chart")
    expect(use.locator("h2")).to_have_text(
        ["Host", "GPU use", "GPU memory", "GPU temperature", "GPU power"]
    )
    expect(use.first.locator("canvas")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_fifty_workers_of_eight_gpus_fit_and_are_accessible(
    page: Page, fake: Any, scheme: Any, width: int
) -> None:
    states = {3: "quarantined", 5: "draining", 8: "unreachable"}
    fake.workers = [
        a_worker(number, gpus=8, state=states.get(number, "active"), message=name_of(number))
        for number in range(50)
    ]
    fake.samples = sample_series(8)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/#/workers?open={fake.workers[0]['id']}")
    expect(page.locator(ROW)).to_have_count(50)
    expect(page.locator(".chart canvas")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Not as a script of the page, which its policy would refuse.
    page.evaluate(AXE.read_text())
    problems = page.evaluate("axe.run().then(({violations}) => violations)")
    assert [(each["id"], each["nodes"][0]["html"]) for each in problems] == []


def name_of(number: int) -> str | None:
    return "w" * 200 if number in (3, 8) else None


def test_text_of_a_worker_is_never_read_as_html(page: Page, fake: Any) -> None:
    evil = "<img src=x onerror=alert(1)>\u202e"
    fake.workers = [
        a_worker(1, gpus=1, host=evil, message=evil, labels={"a": evil}, version=evil)
        | {"jobs": ["job_1"], "job_names": {"job_1": evil}}
    ]
    page.goto(f"/#/workers?open={fake.workers[0]['id']}")
    expect(page.get_by_text("<img src=x onerror=alert(1)>\\u202e").first).to_be_visible()
    assert page.locator("main img").count() == 0


def test_a_gpu_that_is_not_given_out_says_why_in_the_row_and_in_the_detail(
    page: Page, fake: Any
) -> None:
    worker = a_worker(1, gpus=2)
    worker["gpus"][1]["problem"] = "the driver has lost it"
    fake.workers = [worker]
    page.goto("/#/workers")
    told = "GPU 1 is not given out: the driver has lost it"
    expect(page.locator(ROW).locator(".why")).to_have_text(told)
    page.get_by_role("button", name="gpu-1").click()
    detail = page.get_by_role("table", name="GPUs of gpu-1")
    expect(detail.get_by_role("row").nth(2)).to_contain_text("not given out: the driver has lost")
    expect(detail.get_by_role("row").nth(1)).to_contain_text("free")
