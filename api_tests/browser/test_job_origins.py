"""What a job's page leads with after a failure, and its links to what it comes from."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.specs import complete_spec

NOW = "2026-11-24T12:00:00Z"


def _related(number: int, **fields: Any) -> dict[str, Any]:
    job = {
        "id": f"job_{number:026d}", "kind": "train", "name": None, "state": "succeeded",
        "created_at": NOW, "parent_job_id": None, "source_checkpoint": None, "metrics": {},
    }  # fmt: skip
    return job | fields


def test_a_failed_job_says_what_to_change_and_how_its_log_ends(
    page: Page, fake: Any, a_job: Any
) -> None:
    fields = {"state": "failed", "reason": "out_of_memory", "message": "no memory", "attempt": 3}
    fake.jobs = [a_job(1, **fields)]
    fake.log = "".join(f"step {step}\n" for step in range(300)) + "\nRuntimeError: <b>bad</b>\n"
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    why = page.get_by_role("region", name="Why it failed")
    size = fake.jobs[0].spec.params["batch_size"]
    expect(why).to_contain_text("Out of memory: no memory")
    expect(why).to_contain_text("Raise accumulate from 1 to 2")
    expect(why).to_contain_text(f"lower batch_size from {size} to {size // 2}")
    expect(why).to_contain_text("It ended in attempt 3; max_failures is 2.")
    last = why.get_by_role("region", name="Last lines of the log")
    steps = [f"step {step}" for step in range(293, 300)]
    expect(last).to_have_text("\n".join([*steps, "RuntimeError: <b>bad</b>"]))
    page.get_by_role("button", name="Show the log").click()
    expect(page.get_by_role("heading", name="Log", exact=True)).to_be_in_viewport()


@pytest.mark.parametrize("reason", ["of_a_newer_server", None])
def test_a_failure_that_the_page_does_not_know_is_shown_without_a_cure(
    page: Page, fake: Any, a_job: Any, reason: str | None
) -> None:
    fake.jobs = [a_job(1, state="failed", reason=reason, message="it broke", attempt=0)]
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    why = page.get_by_role("region", name="Why it failed")
    expect(why).to_contain_text("t broke")
    expect(why).to_contain_text("No worker had begun with it.")
    expect(why.locator(".cure, pre")).to_have_count(0)


def test_a_job_links_to_its_parent_and_to_what_came_of_it(
    page: Page, fake: Any, a_job: Any
) -> None:
    parent = a_job(1, name="first run")
    spec = complete_spec({
        "kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}, "name": "second run",
        "params": {"learning_rate": 0.05},
    })  # fmt: skip
    job = a_job(2, name="second run", parent_job_id=parent.id, spec=spec)
    fake.jobs = [job, parent]
    fake.lineage = {
        "parent": _related(1, name="first run"),
        "source": None,
        "descendants": [
            _related(4, kind="eval", name="check", metrics={"top1_error": 0.25}),
            _related(3, parent_job_id=job.id, state="queued"),
        ],
    }
    page.goto(f"/#/jobs/{job.id}")
    rows = page.get_by_role("table", name="Jobs that came of it").locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("evaluation")
    expect(rows.nth(0)).to_contain_text("25.00 %")
    expect(rows.nth(1)).to_contain_text("retry")
    link = rows.nth(1).get_by_role("link")
    expect(link).to_have_attribute("href", f"#/jobs/job_{3:026d}")
    page.get_by_text("Submission").click()
    changes = page.get_by_role("table", name="Differences to first run").locator("tbody tr")
    before = parent.spec.params["learning_rate"]
    expect(changes.filter(has_text="params.learning_rate")).to_contain_text(f"{before}0.05")
    page.locator(".origins").get_by_role("link", name="first run").click()
    expect(page.get_by_role("heading", name="first run")).to_be_visible()


def test_an_eval_links_to_the_checkpoint_and_the_job_that_it_evaluates(
    page: Page, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(2, kind="eval", state="succeeded")]
    source = {"id": "ckpt_7", "step": 7000, "job_id": "job_1"}
    fake.lineage = {"descendants": [], "source": source | {"job": _related(1, name="first run")}}
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    origins = page.locator(".origins")
    expect(origins).to_have_text("Evaluates step 7,000 of first run")
    step = origins.get_by_role("link", name="step 7,000")
    expect(step).to_have_attribute("href", "#/checkpoints/ckpt_7")
    expect(page.get_by_role("heading", name="What came of it")).to_have_count(0)


@pytest.mark.parametrize(
    ("lineage", "text"),
    [
        ({"parent": None}, f"Retry of job_{9:026d}, which was deleted"),
        (
            {"parent": _related(9), "source": {"id": "ckpt_7", "step": None}},
            f"Retry of job_{9:026d}Starts from a checkpoint that was removed (ckpt_7)",
        ),
        (
            {"parent": _related(9), "source": {"id": "c", "step": 1, "job_id": "j", "job": None}},
            f"Retry of job_{9:026d}Starts from step 1 of j, which was deleted",
        ),
    ],
)
def test_origins_that_are_gone_are_said_to_be(
    page: Page, fake: Any, a_job: Any, lineage: dict[str, Any], text: str
) -> None:
    fake.jobs = [a_job(2, parent_job_id=f"job_{9:026d}")]
    fake.lineage = {"descendants": []} | lineage
    page.goto(f"/#/jobs/{fake.jobs[0].id}")
    expect(page.locator(".origins")).to_have_text(text)
