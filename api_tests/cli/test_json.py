"""`--json`: every command that ends by itself has it, and then prints JSON and nothing else."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import typer

from api_tests.support.command_yard import CommandYard, left_file, published
from api_tests.support.webhook_calls import LOCAL
from service.cli import app
from service.cli.exit_codes import ExitCode

WITHOUT = {
    "up": "it runs until it is stopped",
    "serve": "it runs until it is stopped",
    "worker": "it runs until it is stopped",
    "demo": "it is watched by a person",
    "top": "it is a screen",
    "logs": "a log is text, and printed as it is",
}
"""The commands without the option, and why."""

Words = tuple[str, ...] | Callable[[CommandYard], tuple[str, ...]]
"""The words after the name of a command, which may need something to be there."""

NETWORK = ("--recipe", "oneshot", "--dataset", "digits")
NOBODY = ("--worker-label", "for=nobody")
PATHS = ("-p", "macs_limit=8124224", "-p", "macs_image_size=32")

COMMANDS: dict[str, Words] = {
    "submit": (*NETWORK, *NOBODY),
    "show": lambda yard: (yard.queued(),),
    "job": lambda yard: (yard.queued(),),
    "compare": lambda yard: (yard.ended(), yard.ended()),
    "lineage": lambda yard: (yard.ended(),),
    "metrics": lambda yard: (yard.ended(),),
    "samples": lambda yard: (yard.ended(),),
    "cancel": lambda yard: (yard.queued(),),
    "pause": lambda yard: (yard.queued(),),
    "resume": lambda yard: (yard.paused(),),
    "retry": lambda yard: (yard.failed(),),
    "clone": lambda yard: (yard.ended(),),
    "edit": lambda yard: (yard.queued(), "--priority", "3"),
    "delete": lambda yard: (yard.ended(),),
    "drain": lambda yard: (yard.worker().id,),
    "sweep create": lambda yard: ("-f", yard.sweep_file()),
    "sweep show": lambda yard: (yard.sweep(),),
    "sweep watch": lambda yard: (yard.ended_sweep(),),
    "sweep pause": lambda yard: (yard.sweep(),),
    "sweep resume": lambda yard: (yard.paused_sweep(),),
    "sweep cancel": lambda yard: (yard.sweep(),),
    "sweep delete": lambda yard: (yard.ended_sweep(),),
    "search create": lambda yard: (yard.supernet(), "--dataset", "digits", *PATHS, *NOBODY),
    "search show": lambda yard: (yard.search(),),
    "search download": lambda yard: (yard.search(), "--to", str(yard.folder / "pictures")),
    "search train": lambda yard: (yard.search(), *NOBODY),
    "checkpoints show": lambda yard: (yard.checkpoint(),),
    "checkpoints latest": lambda yard: ("--job", yard.ended()),
    "checkpoints best": lambda yard: ("--job", yard.ended()),
    "checkpoints download": lambda yard: (yard.checkpoint(), "--to", str(yard.folder / "copy")),
    "checkpoints import": ("weights.pth",),
    "checkpoints imports": (),
    "checkpoints export": lambda yard: (yard.checkpoint(), "--to", str(yard.folder / "exported")),
    "checkpoints verify": lambda yard: (yard.checkpoint(),),
    "checkpoints pin": lambda yard: (yard.checkpoint(),),
    "checkpoints tag": lambda yard: (yard.checkpoint(), "good"),
    "checkpoints delete": lambda yard: (yard.checkpoint(),),
    "checkpoints lineage": lambda yard: (yard.checkpoint(),),
    "checkpoints gc": ("--dry-run",),
    "checkpoints reindex": (),
    "checkpoints rescan": (),
    "workers show": lambda yard: (yard.worker().id,),
    "workers samples": lambda yard: (yard.worker().id,),
    "workers drain": lambda yard: (yard.worker().id,),
    "workers resume": lambda yard: (yard.worker().id,),
    "size": ("oneshot", "--blocks", "0" * 20),
    "token create": ("ann", "--role", "user"),
    "token revoke": lambda yard: (yard.token(),),
    "webhooks show": lambda yard: (yard.webhook(),),
    "webhooks create": lambda yard: (yard.receiver.url,),
    "webhooks update": lambda yard: (yard.webhook(), "--disable"),
    "webhooks rotate-secret": lambda yard: (yard.webhook(),),
    "webhooks test": lambda yard: (yard.webhook(),),
    "webhooks redeliver": lambda yard: yard.delivery(),
    "webhooks delete": lambda yard: (yard.webhook(),),
    "version": lambda yard: ("--server", yard.server.url),
    "data check": lambda yard: (yard.photos(), "--processes", "1"),
    "data pack": lambda yard: (yard.photos(), str(yard.folder / "photos.pack"), "--processes=1"),
    "db upgrade": (),
    "db backup": lambda yard: (str(yard.folder / "first"),),
    "db restore": lambda yard: (yard.backup(),),
    "db check": (),
}
"""By command what it is about: it prints one document."""

LISTS: dict[str, Words] = {
    "jobs": (),
    "watch": lambda yard: (yard.ended(), yard.ended()),
    "wait": lambda yard: (yard.ended(), yard.ended()),
    "events": lambda yard: (yard.ended(),),
    "attempts": lambda yard: (yard.ended(),),
    "classes": lambda yard: (yard.evaluation(),),
    "sweep list": (),
    "sweep trials": lambda yard: (yard.ended_sweep(),),
    "search candidates": lambda yard: (yard.search(),),
    "checkpoints list": (),
    "workers": (),
    "workers list": (),
    "recipes": (),
    "datasets": (),
    "token list": (),
    "audit": (),
    "webhooks list": (),
    "webhooks deliveries": lambda yard: yard.delivery()[:1],
    "doctor": lambda yard: ("--data-dir", str(yard.folder)),
}
"""By command what it is about: it prints an object a line, and at least one."""

FINDINGS = {"doctor", "checkpoints verify"}
"""What finds problems here, and then ends with 1: no data root, a folder of a played worker."""

WORK = {"checkpoints import": published, "checkpoints export": left_file}
"""What a worker does meanwhile."""


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandYard]:
    yard = CommandYard(tmp_path_factory.mktemp("yard"), **LOCAL)
    # What the lists have.
    for make in (yard.queued, yard.sweep, yard.checkpoint, yard.token, yard.webhook):
        make()
    assert yard.run("db", "upgrade").exit_code == 0
    yield yard
    yard.stop()


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    subcommands = getattr(command, "commands", None)
    if subcommands is None or command.invoke_without_command:
        yield " ".join(path), command
    for name, each in (subcommands or {}).items():
        yield from _commands(each, (*path, name))


def test_every_command_has_json_or_a_reason_to_have_none() -> None:
    options = {
        name: [each.help for each in command.params if each.opts == ["--json"]]
        for name, command in _commands(typer.main.get_command(app))
    }
    assert {name for name, found in options.items() if not found} == WITHOUT.keys()
    assert [found for found in options.values() if found] == [["Print JSON."]] * (
        len(options) - len(WITHOUT)
    )


def test_of_every_command_with_json_a_test_reads_what_it_prints() -> None:
    names = {name for name, _ in _commands(typer.main.get_command(app))}
    assert names - WITHOUT.keys() == COMMANDS.keys() | LISTS.keys()
    assert not COMMANDS.keys() & LISTS.keys()


@pytest.mark.parametrize("name", [*COMMANDS, *LISTS])
def test_json_is_all_that_the_command_prints(yard: CommandYard, name: str) -> None:
    words = (COMMANDS | LISTS)[name]
    arguments = words(yard) if callable(words) else words
    with ExitStack() as stack:
        if name in WORK:
            stack.enter_context(yard.worked(WORK[name]))
        result = yard.run(*name.split(), *arguments, "--json")
    assert result.exit_code == (ExitCode.FAILED if name in FINDINGS else 0), result.output
    documents = result.stdout.splitlines() if name in LISTS else [result.stdout]
    assert documents
    assert all(isinstance(json.loads(document), dict) for document in documents)
