"""A supervisor of small children: `supervised_children FOLDER SERVER_MANNER WORKER_MANNER…`."""

import os
import sys
from pathlib import Path

from service.client import TrainyardError
from service.devserver.child import Program
from service.devserver.supervisor import Supervisor, unfailing


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _program(name: str, manner: str) -> Program:
    command = [sys.executable, str(Path(__file__).with_name("small_child.py")), name, str(folder)]
    return Program(name, [*command, manner], os.environ, folder / f"{name}.log")


folder = Path(sys.argv[1])
server, *workers = sys.argv[2:]
try:
    Supervisor(
        _program("server", server),
        [_program(f"worker-{number}", manner) for number, manner in enumerate(workers, 1)],
        ready=(folder / "server.up").exists,
        print_line=_say,
        on_ready=lambda: unfailing(_say)("ready"),
        on_tick=lambda: None,
        grace_seconds=float(os.environ.get("GRACE_SECONDS", "30")),
        join_seconds=float(os.environ.get("JOIN_SECONDS", "15")),
    ).run()
except TrainyardError as error:
    _say(f"refused: {error}")
    sys.exit(1)
