"""What a shell is offered for a word of a command line that is not whole yet."""

import os
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeGuard

import typer

from service.client import Client, TrainyardError

_SECONDS = 1.0
"""A person waits for it: a server that is slower completes nothing."""
_OFFERED = 20


def jobs_beginning_with(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The names and ids of the 20 newest jobs that begin so, each with what tells it from others.

    Nothing where no server answers.
    """
    return _beginning_with(context, incomplete, _jobs)


def sweeps_beginning_with(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The names and ids of the 20 newest sweeps that begin so, as `jobs_beginning_with` has them
    of jobs."""
    return _beginning_with(context, incomplete, _sweeps)


def _beginning_with(
    context: typer.Context,
    incomplete: str,
    offers: Callable[[Client], Iterator[tuple[str, str]]],
) -> list[tuple[str, str]]:
    server = context.params.get("server") or os.environ.get("TRAINYARD_SERVER")
    token = context.params.get("token") or os.environ.get("TRAINYARD_TOKEN")
    try:
        with Client(server, token, tries=1, timeout_seconds=_SECONDS) as client:
            return [each for each in offers(client) if each[0].startswith(incomplete)]
    except TrainyardError:
        return []


def _jobs(client: Client) -> Iterator[tuple[str, str]]:
    for job in client.recent_jobs()[0] or ():
        if _is_one_word(job.name):
            yield job.name, f"{job.state.value} {job.id}"
        yield job.id, " ".join(filter(None, (job.state.value, job.recipe)))


def _sweeps(client: Client) -> Iterator[tuple[str, str]]:
    for sweep in islice(client.sweeps(), _OFFERED):
        if _is_one_word(sweep.name):
            yield sweep.name, f"{sweep.state.value} {sweep.id}"
        yield sweep.id, sweep.state.value


def _is_one_word(name: str | None) -> TypeGuard[str]:
    # A shell would take a name with a space for several words.
    return name not in (None, "") and name.isprintable() and " " not in name
