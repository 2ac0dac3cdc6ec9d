"""The page of the webhooks, against a real server and a real receiver."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.axe import violations
from api_tests.support.server import Server, wait_for
from api_tests.support.webhook_calls import LOCAL
from api_tests.support.webhook_receiver import WebhookReceiver


@pytest.fixture
def hooked(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, **LOCAL)
    yield server
    server.stop()


def test_a_webhook_is_made_tested_stopped_and_deleted_on_the_page(
    hooked: Server, receiver: WebhookReceiver, page: Page
) -> None:
    page.goto(f"{hooked.url}/")
    page.get_by_role("link", name="Webhooks").click()
    expect(page.get_by_role("heading", name="No webhooks")).to_be_visible()
    page.get_by_role("button", name="New webhook").click()
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("alert")).to_contain_text("Write the URL")
    page.get_by_label("URL").fill(receiver.url)
    page.get_by_label("Name").fill("the \u202echat")
    page.get_by_label("Told of").select_option("jobs that end")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("whsec_")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    table = page.get_by_role("table", name="Webhooks")
    expect(table).to_contain_text("the \\u202echat")
    expect(table).to_contain_text("job.failed, job.succeeded, job.cancelled")
    expect(page.get_by_text("whsec_")).to_have_count(0)
    page.get_by_role("button", name="Test").click()
    messages = page.get_by_role("table", name="Messages")
    expect(messages.locator("[data-state=delivered]")).to_have_count(1)
    expect(messages).to_contain_text("webhook.test")
    assert violations(page) == []
    page.get_by_role("button", name="Send again").click()
    wait_for(lambda: len(receiver.received) == 2, "the second message")
    expect(messages.locator("[data-state=delivered]")).to_have_count(1)
    page.get_by_role("button", name="New secret").click()
    page.get_by_label("The old one signs, too,").select_option("for an hour")
    assert violations(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Make it").click()
    secret = page.get_by_text("whsec_").inner_text()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("whsec_")).to_have_count(0)
    expect(table).to_contain_text("the old secret signs, too, until")
    page.get_by_role("button", name="Send again").click()
    wait_for(lambda: len(receiver.received) == 3, "the message after the rotation")
    assert receiver.received[-1].is_signed_by(secret)
    assert len(receiver.received[-1].headers["webhook-signature"].split(" ")) == 2
    expect(messages.locator("[data-state=delivered]")).to_have_count(1)
    page.get_by_role("button", name="Disable").click()
    expect(table).to_contain_text("disabled by a user")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="No webhooks")).to_be_visible()
    assert [each.json["type"] for each in receiver.received] == ["webhook.test"] * 3
