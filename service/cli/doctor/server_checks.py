"""Checks of the server: that it answers, takes the token, and has this machine's time."""

from service import __version__
from service.cli import figures
from service.cli.doctor.check import Check, Finding, ok, problem, skipped, warning
from service.cli.doctor.installation import Installation

_CLOCK_SECONDS = 5.0
"""More than a slow network explains, and less than the shortest deadline of a lease."""


def _server(installation: Installation) -> Finding:
    answer = installation.answer
    if answer.error is not None:
        return problem(
            answer.error,
            "start one with `trainyard up` or `trainyard serve`, or name another by --server or "
            "TRAINYARD_SERVER; a firewall may be between",
        )
    if not answer.ready:
        return problem(
            f"the server is not ready: {answer.detail}", "mend what it says, on its machine"
        )
    name = "Trainyard" if answer.version is None else f"Trainyard {answer.version}"
    return ok(f"{name} answers at {installation.server}")


def _version(installation: Installation) -> Finding:
    other = installation.answer.version
    if other is None:
        return skipped("no server tells its version")
    if other != __version__:
        return warning(
            f"the server has version {other}, and this machine {__version__}",
            "install one version on all machines, the server first",
        )
    return ok(f"the server and this machine have version {other}")


def _token(installation: Installation) -> Finding:
    status = installation.answer.token_status
    if status is None:
        return skipped("no server answers")
    if status in (401, 403):
        given = "refuses the token" if installation.token else "needs a token, and there is none"
        return problem(
            f"the server {given}",
            "set TRAINYARD_TOKEN to a token of the server, without blanks around it",
        )
    if status == 429:
        return problem(
            "the server refuses this address after too many wrong tokens",
            "correct TRAINYARD_TOKEN, and wait a minute",
        )
    return ok("the server takes the token" if installation.token else "the server needs no token")


def _clock(installation: Installation) -> Finding:
    offset = installation.answer.clock_offset_seconds
    if offset is None:
        return skipped("no server answers")
    if abs(offset) > _CLOCK_SECONDS:
        where = "before" if offset > 0 else "behind"
        return problem(
            f"the server's clock is {figures.duration(abs(offset))} {where} this machine's",
            "set both by NTP: `timedatectl set-ntp true`",
        )
    return ok("the clocks of the server and of this machine agree")


SERVER_CHECKS = (
    Check("server", _server),
    Check("version", _version),
    Check("token", _token),
    Check("clock", _clock),
)
