"""What follows a job, by the form and against a real server: longer, evaluated, fine-tuned."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server

PARAMS = {"batch_size": 32, "total_iters": 50, "learning_rate": 0.02}


@pytest.fixture
def agent(own_server: Server) -> Iterator[FakeAgent]:
    with FakeAgent(own_server) as agent:
        yield agent


def test_a_job_is_submitted_watched_trained_longer_and_evaluated(
    tab: Page, agent: FakeAgent
) -> None:
    tab.goto("/#/submit")
    tab.get_by_label("Name").fill("journey")
    tab.get_by_label("Worker labels").fill(f"agent={agent.id}")
    tab.get_by_label("batch_size (images)").fill("32")
    tab.get_by_label("total_iters (iterations)").fill("50")
    submitted(tab)
    expect(tab.locator(".job-head .badge")).to_have_text("queued")

    claim = agent.claim()
    agent.beat(claim, ("started", {"step": 0, "total_steps": 50}))
    agent.beat(claim, ("progress", {"phase": "train", "step": 25, "total_steps": 50}))
    expect(tab.locator(".job-progress")).to_contain_text("step 25 of 50")
    state = agent.save(claim, 50)
    agent.save(claim, 50, phase="final")
    agent.report(claim)
    expect(tab.locator(".job-head .badge")).to_have_text("succeeded")

    tab.get_by_role("link", name="Train longer…").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Train longer: journey")
    changes = tab.get_by_role("table", name="Changes").locator("tbody tr")
    expect(changes).to_have_text(
        [
            "params.total_iters50100",
            f"init_from.iddefault{state}",
            "init_from.statedefaultfull",
        ]
    )
    longer = submitted(tab)
    assert longer["spec"]["init_from"]["id"] == state
    assert longer["spec"]["params"]["total_iters"] == 100
    assert longer["spec"]["params"]["batch_size"] == 32

    claim = agent.claim()
    agent.save(claim, 100)
    final = agent.save(claim, 100, phase="final")
    agent.report(claim)
    tab.get_by_role("link", name="Evaluate…").click()
    expect(tab.get_by_label("Checkpoint", exact=True)).to_have_value(final)
    evaluation = submitted(tab)
    assert (evaluation["kind"], evaluation["spec"]["checkpoint"]["id"]) == ("eval", final)
    assert evaluation["spec"]["data"]["dataset"] == "digits"


def test_iterations_that_leave_nothing_to_train_are_told_before_anything_is_sent(
    tab: Page, agent: FakeAgent
) -> None:
    job, _ = trained(agent)
    tab.goto(f"/#/submit?from={job}&action=train_longer")
    expect(tab.get_by_text("Nothing is wrong with it.")).to_be_visible()
    tab.get_by_label("total_iters (iterations)").fill("49")
    expect(tab.get_by_role("list", name="Problems")).to_contain_text("nothing is left to train")
    expect(tab.get_by_role("button", name="Submit")).to_be_disabled()


def test_a_checkpoint_is_fine_tuned_from_its_page(tab: Page, agent: FakeAgent) -> None:
    job, _ = trained(agent)
    final = agent.http.get(f"/jobs/{job}").json()["latest_checkpoint"]
    tab.goto(f"/#/checkpoints/{final}")
    expect(tab.get_by_role("link", name="Evaluate…")).to_be_visible()
    expect(tab.get_by_role("link", name="Train longer…")).to_have_count(0)
    tab.get_by_role("link", name="Fine-tune…").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text(
        "Fine-tune: final weights, step 50 of oneshot searched"
    )
    expect(tab.get_by_label("What of it")).to_have_value("weights")
    tab.get_by_label("Classifier").select_option("replace")
    spec = submitted(tab)["spec"]
    assert (spec["init_from"]["id"], spec["init_from"]["head"]) == (final, "replace")
    assert {name: spec["params"][name] for name in PARAMS} == PARAMS


def test_a_checkpoint_of_a_deleted_job_is_evaluated(tab: Page, agent: FakeAgent) -> None:
    job, state = trained(agent)
    agent.http.patch(f"/checkpoints/{state}", json={"pinned": True}).raise_for_status()
    assert agent.http.delete(f"/jobs/{job}").status_code == 204
    tab.goto(f"/#/submit?checkpoint={state}&action=evaluate")
    expect(tab.get_by_label("Recipe")).to_have_value("oneshot")
    assert submitted(tab)["spec"]["checkpoint"]["id"] == state


@pytest.mark.parametrize("action", ["train_longer", "no_such_action"])
def test_what_is_not_allowed_any_more_has_no_form(tab: Page, agent: FakeAgent, action: str) -> None:
    job, state = trained(agent)
    agent.http.delete(f"/checkpoints/{state}").raise_for_status()
    tab.goto(f"/#/submit?from={job}&action={action}")
    expect(tab.get_by_role("alert")).to_contain_text("does not allow this now")
    expect(tab.get_by_role("button", name="Submit")).to_have_count(0)


def trained(agent: FakeAgent) -> tuple[str, str]:
    """The ids of a training that has succeeded after 50 steps, and of its training state."""
    job = agent.submit(params=PARAMS)["id"]
    claim = agent.claim()
    state = agent.save(claim, 50)
    agent.save(claim, 50, phase="final")
    agent.report(claim)
    return job, state


def submitted(tab: Page) -> dict[str, Any]:
    """Sends the form that is shown, and gives the job whose page is opened."""
    expect(tab.get_by_text("Nothing is wrong with it.")).to_be_visible()
    with tab.expect_response(lambda answer: answer.url.endswith("/jobs")) as answered:
        tab.get_by_role("button", name="Submit").click()
    job: dict[str, Any] = answered.value.json()
    tab.wait_for_url(f"**/#/jobs/{job['id']}")
    return job
