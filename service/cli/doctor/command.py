"""The command that runs all checks, and prints what each has found."""

import os
from pathlib import Path
from typing import Annotated

import typer

from service.cli import terminal
from service.cli.doctor.check import Check, Finding, Status
from service.cli.doctor.installation import Installation
from service.cli.doctor.machine_checks import MACHINE_CHECKS
from service.cli.doctor.server_checks import SERVER_CHECKS
from service.cli.doctor.storage_checks import STORAGE_CHECKS
from service.cli.exit_codes import ExitCode
from service.cli.options import LOCAL_SERVER, AsJson, Server, Token, print_json_lines
from service.contract.counts import count_text

CHECKS: tuple[Check, ...] = (*SERVER_CHECKS, *STORAGE_CHECKS, *MACHINE_CHECKS)
_STYLES = {Status.OK: "green", Status.WARNING: "yellow", Status.PROBLEM: "red bold"}


def doctor(
    data_dir: Annotated[
        Path, typer.Option(help="Data folder of the installation, as given to `up`.")
    ] = Path("yard"),
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Look for what is wrong with the server, the folders and this machine, and say how to mend it.

    The exit status is 1 if there is a problem; a warning alone is none. TRAINYARD_DATABASE_URL,
    _VOLUME and _DATA_ROOT take precedence over the data folder, as in `up`.
    """
    installation = Installation(server, token, data_dir, os.environ)
    findings = []
    for check in CHECKS:
        finding = check.finding(installation)
        findings.append(finding)
        print_json_lines((finding,)) if as_json else _print(finding)
    problems = sum(finding.status is Status.PROBLEM for finding in findings)
    if not as_json:
        warnings = sum(finding.status is Status.WARNING for finding in findings)
        counts = f"{count_text(problems, 'problem')}, {count_text(warnings, 'warning')}"
        terminal.echo(counts if problems or warnings else "nothing is wrong")
    if problems:
        raise typer.Exit(ExitCode.FAILED)


def _print(finding: Finding) -> None:
    console = terminal.console()
    status = terminal.styled(f"{finding.status.value:<8}", _STYLES.get(finding.status, "dim"))
    console.print(status, terminal.visible(f"{finding.name}: {finding.detail}"), soft_wrap=True)
    if finding.cure is not None:
        console.print(terminal.visible(f"         {finding.cure}"), soft_wrap=True)
