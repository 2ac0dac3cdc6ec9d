"""The list of jobs in a browser: its rows, and jobs that are told apart by their numbers."""

from typing import Any

from playwright.sync_api import Locator, Page

from service.contract.jobs import Job

JOB = "tr[data-job]"
BOX = ".job-box"
SCROLL_TO = "(box, top) => { box.scrollTop = top; }"


def numbered(base: Job, number: int, **fields: Any) -> Job:
    """The job with a number; its name is the number too."""
    named = {"id": f"job_{number:026d}", "name": f"run {number:05d}"}
    return base.model_copy(update=named | fields)


def row_of(page: Page, number: int) -> Locator:
    """The row of the job with a number."""
    return page.locator(f'tr[data-job="job_{number:026d}"]')
