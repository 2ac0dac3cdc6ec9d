"""Calls of people whose changes are in the audit list."""

from typing import Any

import httpx

from api_tests.support.specs import SPEC

Entry = dict[str, Any]


def audit_entries(people: dict[str, httpx.Client], **query: str | int) -> list[Entry]:
    """All entries to which the query applies, newest first."""
    answer = people["ann"].get("/audit", params=query)
    assert answer.status_code == 200, answer.text
    found: list[Entry] = answer.json()["data"]
    return found


def submit_job(client: httpx.Client, **fields: Any) -> str:
    """The id of a job that a caller has submitted."""
    answer = client.post("/jobs", json=SPEC | fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
