"""The doctor's checks by name, and what is expected of a finding."""

from collections.abc import Callable

from service.cli.doctor.check import Finding, Status
from service.cli.doctor.command import CHECKS

BY_NAME = {check.name: check for check in CHECKS}
Look = Callable[..., Finding]
"""The fixture `look`: the name of a check, a server, a token, and variables of Trainyard's."""


def assert_problem(finding: Finding, text: str, status: Status = Status.PROBLEM) -> None:
    """The finding says so, and how to mend it."""
    assert finding.status is status, finding
    assert text in finding.detail
    assert finding.cure
