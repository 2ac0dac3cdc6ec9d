"""`trainyard`: runs Trainyard on this machine, and calls any Trainyard server."""

import typer

from service.cli import (
    audit,
    catalog,
    checkpoint_actions,
    checkpoints,
    data,
    database,
    edits,
    evaluation,
    exchange,
    history,
    job_actions,
    jobs,
    maintenance,
    processes,
    searches,
    series,
    sweep_watch,
    sweeps,
    tokens,
    webhook_deliveries,
    webhook_secrets,
    webhooks,
    workers,
)
from service.cli.doctor.command import doctor
from service.cli.group import Group
from service.cli.submit import submit
from service.cli.top import top
from service.cli.watch import watch

JOBS, STEER, SERVER, HERE = "Jobs", "Steer jobs", "What a server has", "On this machine"

app = typer.Typer(
    name="trainyard",
    help="Trainyard trains and evaluates the ShuffleNet series: a control plane and its workers.",
    epilog="An id may be shortened to a unique beginning; a name, or @last, stands for it, too.",
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command(rich_help_panel=JOBS)(submit)
app.command("jobs", rich_help_panel=JOBS)(jobs.list_jobs)
app.command("show", rich_help_panel=JOBS)(jobs.show_job)
app.command("job", hidden=True)(jobs.show_job)
app.command(rich_help_panel=JOBS)(watch)
app.command("wait", hidden=True)(watch)
app.command(rich_help_panel=JOBS)(top)
app.command(rich_help_panel=JOBS)(jobs.logs)
app.command(rich_help_panel=JOBS)(series.metrics)
app.command(rich_help_panel=JOBS)(history.events)
app.command(rich_help_panel=JOBS)(history.attempts)
app.command(rich_help_panel=JOBS)(series.compare)
app.command(rich_help_panel=JOBS)(evaluation.classes)
app.command(rich_help_panel=JOBS)(history.lineage)
app.command("samples", rich_help_panel=JOBS)(series.job_samples)
app.command(rich_help_panel=STEER)(job_actions.cancel)
app.command(rich_help_panel=STEER)(job_actions.pause)
app.command(rich_help_panel=STEER)(job_actions.resume)
app.command(rich_help_panel=STEER)(job_actions.retry)
app.command(rich_help_panel=STEER)(edits.clone)
app.command(rich_help_panel=STEER)(edits.edit)
app.command(rich_help_panel=STEER)(job_actions.delete)
app.command("drain", hidden=True)(workers.drain)

_sweeps = typer.Typer(
    help="Begin, follow and steer sweeps: trainings over values of parameters.",
    no_args_is_help=True,
)
_sweeps.command()(sweeps.create)
_sweeps.command("list")(sweeps.list_sweeps)
_sweeps.command()(sweeps.show)
_sweeps.command()(sweeps.trials)
_sweeps.command()(sweep_watch.watch)
_sweeps.command()(sweeps.pause)
_sweeps.command()(sweeps.resume)
_sweeps.command()(sweeps.cancel)
_sweeps.command()(sweeps.delete)
app.add_typer(_sweeps, name="sweep", rich_help_panel=JOBS)

_searches = typer.Typer(
    help="Search supernets for their best path, and train what was found.",
    no_args_is_help=True,
)
_searches.command()(searches.create)
_searches.command()(searches.show)
_searches.command()(searches.candidates)
_searches.command()(searches.download)
_searches.command()(searches.train)
app.add_typer(_searches, name="search", rich_help_panel=JOBS)

_checkpoints = typer.Typer(
    help="List, find, download, import, export, verify and clean up checkpoints.",
    no_args_is_help=True,
)
_checkpoints.command("list")(checkpoints.list_checkpoints)
_checkpoints.command()(checkpoint_actions.show)
_checkpoints.command()(checkpoints.latest)
_checkpoints.command()(checkpoints.best)
_checkpoints.command()(checkpoints.download)
_checkpoints.command("import")(exchange.import_)
_checkpoints.command()(exchange.imports)
_checkpoints.command()(exchange.export)
_checkpoints.command()(maintenance.verify)
_checkpoints.command()(checkpoint_actions.pin)
_checkpoints.command()(checkpoint_actions.tag)
_checkpoints.command()(checkpoint_actions.delete)
_checkpoints.command()(checkpoint_actions.lineage)
_checkpoints.command()(maintenance.gc)
_checkpoints.command()(maintenance.reindex)
_checkpoints.command("rescan", hidden=True)(maintenance.reindex)
app.add_typer(_checkpoints, name="checkpoints", rich_help_panel=SERVER)

_workers = typer.Typer(invoke_without_command=True)
_workers.callback()(workers.list_by_default)
_workers.command("list")(workers.list_workers)
_workers.command()(workers.show)
_workers.command("samples")(series.worker_samples)
_workers.command()(workers.drain)
_workers.command()(workers.resume)
app.add_typer(_workers, name="workers", rich_help_panel=SERVER)

app.command(rich_help_panel=SERVER)(catalog.recipes)
app.command(rich_help_panel=SERVER)(catalog.size)
app.command(rich_help_panel=SERVER)(catalog.datasets)
_tokens = typer.Typer(help="Make, list and revoke access tokens.", no_args_is_help=True)
_tokens.command()(tokens.create)
_tokens.command("list")(tokens.list_tokens)
_tokens.command()(tokens.revoke)
app.add_typer(_tokens, name="token", rich_help_panel=SERVER)

app.command(rich_help_panel=SERVER)(audit.audit)
_webhooks = typer.Typer(
    help="Have programs and channels be told of events, and see what was sent.",
    no_args_is_help=True,
)
_webhooks.command("list")(webhooks.list_webhooks)
_webhooks.command()(webhooks.show)
_webhooks.command()(webhooks.create)
_webhooks.command()(webhooks.update)
_webhooks.command("rotate-secret")(webhook_secrets.rotate_secret)
_webhooks.command("test")(webhook_deliveries.send_test)
_webhooks.command()(webhook_deliveries.deliveries)
_webhooks.command()(webhook_deliveries.redeliver)
_webhooks.command()(webhooks.delete)
app.add_typer(_webhooks, name="webhooks", rich_help_panel=SERVER)

app.command(rich_help_panel=HERE)(processes.up)
app.command(rich_help_panel=HERE)(processes.demo)
app.command(rich_help_panel=HERE)(processes.serve)
app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    rich_help_panel=HERE,
)(processes.worker)
app.command(rich_help_panel=HERE)(doctor)
app.command(rich_help_panel=HERE)(processes.version)

_data = typer.Typer(
    help="Check and pack images on this machine; needs the workers extra.", no_args_is_help=True
)
_data.command()(data.check)
_data.command()(data.pack)
app.add_typer(_data, name="data", rich_help_panel=HERE)

_database = typer.Typer(
    help="Back up, restore, check and migrate the database.", no_args_is_help=True
)
_database.command()(database.upgrade)
_database.command()(database.backup)
_database.command()(database.restore)
_database.command()(database.check)
app.add_typer(_database, name="db", rich_help_panel=HERE)
