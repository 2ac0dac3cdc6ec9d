"""`trainyard`: runs Trainyard on this machine, and calls any Trainyard server."""

import typer

from service.cli import (
    checkpoints,
    data,
    database,
    exchange,
    job_actions,
    jobs,
    maintenance,
    processes,
    workers,
)
from service.cli.group import Group

app = typer.Typer(
    name="trainyard",
    help="Trainyard trains and evaluates the ShuffleNet series: a control plane and its workers.",
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(processes.up)
app.command()(processes.demo)
app.command()(processes.serve)
app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(processes.worker)
app.command()(jobs.submit)
app.command("jobs")(jobs.list_jobs)
app.command("job")(jobs.show_job)
app.command()(jobs.wait)
app.command()(job_actions.cancel)
app.command()(job_actions.pause)
app.command()(job_actions.resume)
app.command()(job_actions.retry)
app.command()(job_actions.delete)
app.command("workers")(workers.list_workers)
app.command()(workers.drain)
app.command()(jobs.logs)
app.command()(processes.version)

_checkpoints = typer.Typer(
    help="List, find, download, import, export, verify and clean up checkpoints.",
    no_args_is_help=True,
)
_checkpoints.command("list")(checkpoints.list_checkpoints)
_checkpoints.command()(checkpoints.latest)
_checkpoints.command()(checkpoints.download)
_checkpoints.command("import")(exchange.import_)
_checkpoints.command()(exchange.imports)
_checkpoints.command()(exchange.export)
_checkpoints.command()(maintenance.verify)
_checkpoints.command()(maintenance.gc)
_checkpoints.command()(maintenance.reindex)
_checkpoints.command("rescan", hidden=True)(maintenance.reindex)
app.add_typer(_checkpoints, name="checkpoints")

_data = typer.Typer(
    help="Check and pack images on this machine; needs the workers extra.", no_args_is_help=True
)
_data.command()(data.check)
_data.command()(data.pack)
app.add_typer(_data, name="data")

_database = typer.Typer(help="Maintain the database.", no_args_is_help=True)
_database.command()(database.upgrade)
app.add_typer(_database, name="db")


@_database.callback()
def _database_group() -> None:
    """Maintain the database."""
