"""Commands that show, pin, tag and delete a checkpoint, and tell where it comes from."""

from collections.abc import Iterator
from typing import Annotated

import typer
from pydantic import ValidationError

from service.cli import figures, terminal
from service.cli.documents import Deletion
from service.cli.exit_codes import BadInput
from service.cli.options import (
    LOCAL_SERVER,
    AsJson,
    CheckpointId,
    Server,
    Token,
    connect,
    print_json,
)
from service.cli.references import checkpoint_id_of
from service.cli.tables import print_table
from service.contract.checkpoint_lineage import Lineage
from service.contract.checkpoints import Checkpoint, CheckpointChange
from service.contract.sentences import sentence_of


def show(
    checkpoint_id: CheckpointId,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Show a checkpoint and its files."""
    with connect(server, token) as client:
        checkpoint = client.checkpoint(checkpoint_id_of(client, checkpoint_id))
    if as_json:
        print_json(checkpoint)
        return
    for title, text in _facts(checkpoint):
        terminal.echo(f"{title:<12}{text}")
    terminal.echo("")
    files = checkpoint.files.items()
    rows = ((name, figures.size(file.bytes), file.sha256) for name, file in files)
    print_table(("FILE", "SIZE", "SHA256"), rows)


def pin(
    checkpoint_id: CheckpointId,
    undo: Annotated[bool, typer.Option("--undo", help="Let it be removed again.")] = False,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Keep a checkpoint, whatever the retention of its job says."""
    with connect(server, token) as client:
        change = CheckpointChange(pinned=not undo)
        checkpoint = client.change_checkpoint(checkpoint_id_of(client, checkpoint_id), change)
    print_json(checkpoint) if as_json else terminal.echo(f"{checkpoint.id} {_pinned(checkpoint)}")


def tag(
    checkpoint_id: CheckpointId,
    add: Annotated[
        list[str] | None, typer.Argument(metavar="[TAG]...", help="Tags to add.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(help="A tag to take away; may be repeated.")
    ] = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Give a checkpoint tags, or take some away; a tagged one is kept."""
    if not add and not remove:
        raise BadInput("give tags to add, or --remove")
    with connect(server, token) as client:
        before = client.checkpoint(checkpoint_id_of(client, checkpoint_id))
        kept = [each for each in before.tags if each not in (remove or [])]
        try:
            change = CheckpointChange(tags=tuple(dict.fromkeys([*kept, *(add or [])])))
        except ValidationError as error:
            raise BadInput(sentence_of(error)) from error
        checkpoint = client.change_checkpoint(before.id, change)
    print_json(checkpoint) if as_json else terminal.echo(" ".join((before.id, *checkpoint.tags)))


def delete(
    checkpoint_id: CheckpointId,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Delete a checkpoint and its folder; one that is pinned or in use is not."""
    with connect(server, token) as client:
        id_ = checkpoint_id_of(client, checkpoint_id)
        client.delete_checkpoint(id_)
    if as_json:
        print_json(Deletion(id=id_))


def lineage(
    checkpoint_id: CheckpointId,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Show the checkpoints that it comes from, and what was made of it."""
    with connect(server, token) as client:
        known = client.lineage(checkpoint_id_of(client, checkpoint_id))
    if as_json:
        print_json(known)
        return
    print_table(("HOW", "CHECKPOINT", "JOB", "STEP", "STATE"), _lineage_rows(known))
    if not known.complete:
        terminal.echo_error("earlier ones are no longer in the index")


def _facts(checkpoint: Checkpoint) -> Iterator[tuple[str, str]]:
    yield "checkpoint", checkpoint.id
    yield "job", f"{checkpoint.job_id}, attempt {checkpoint.attempt}"
    yield "network", f"{checkpoint.recipe} {checkpoint.variant}"
    yield "step", f"{checkpoint.step} ({checkpoint.phase})"
    yield "state", f"{checkpoint.state}, {_pinned(checkpoint)}"
    if checkpoint.tags:
        yield "tags", " ".join(checkpoint.tags)
    if checkpoint.metrics:
        measured = (f"{name} {figures.loss(value)}" for name, value in checkpoint.metrics.items())
        yield "measured", ", ".join(measured)
    yield "created", figures.moment(checkpoint.created_at)
    yield "size", figures.size(checkpoint.bytes)
    yield "path", checkpoint.path


def _pinned(checkpoint: Checkpoint) -> str:
    return "pinned" if checkpoint.pinned else "not pinned"


def _lineage_rows(known: Lineage) -> Iterator[tuple[str, ...]]:
    rows = [("this one", known.checkpoint)]
    rows = [("comes from", each) for each in reversed(known.ancestors)] + rows
    rows += [("trained to", each) for each in known.children]
    for how, entry in rows:
        yield (how, entry.id, entry.job_id, str(entry.step), entry.state)
    for use in known.uses:
        yield (f"{use.kind} by", figures.NONE, use.job_id, figures.NONE, use.state)
