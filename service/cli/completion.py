"""What a shell is offered for a word of a command line that is not whole yet."""

import os
from collections.abc import Iterator

import typer

from service.client import Client, TrainyardError

_SECONDS = 1.0
"""A person waits for it: a server that is slower completes nothing."""


def jobs_beginning_with(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The names and ids of the 20 newest jobs that begin so, each with what tells it from others.

    Nothing where no server answers.
    """
    server = context.params.get("server") or os.environ.get("TRAINYARD_SERVER")
    token = context.params.get("token") or os.environ.get("TRAINYARD_TOKEN")
    try:
        with Client(server, token, tries=1, timeout_seconds=_SECONDS) as client:
            return [each for each in _offers(client) if each[0].startswith(incomplete)]
    except TrainyardError:
        return []


def _offers(client: Client) -> Iterator[tuple[str, str]]:
    for job in client.recent_jobs()[0] or ():
        # A shell would take a name with a space for several words.
        if job.name and job.name.isprintable() and " " not in job.name:
            yield job.name, f"{job.state.value} {job.id}"
        yield job.id, " ".join(filter(None, (job.state.value, job.recipe)))
