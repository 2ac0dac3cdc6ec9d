"""A child of `supervised_children`: arguments NAME FOLDER MANNER; notes its starts and ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def _note(what: str) -> None:
    with (folder / "notes").open("a") as notes:
        notes.write(f"{name} {what} {os.getpid()}\n")


name, folder, manner = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
first = not (folder / f"{name}.ran").exists()
(folder / f"{name}.ran").touch()
_note("started")
if manner == "refuses" or (manner == "refuses-later" and not first):
    sys.stderr.write("the database is held by another server\n")
    sys.exit(2)
if manner == "fails-at-start" or (manner == "crashes-once" and first):
    sys.stderr.write("something broke\n\n")
    sys.exit(1)
if manner == "has-a-daemon":
    # One that leaves its session, as a data loader or a rank may.
    daemon = subprocess.Popen(["sleep", "600"], start_new_session=True)
    (folder / "daemon").write_text(str(daemon.pid))
if manner == "late":
    line = '{"event": "control_plane_unreachable", "error": "ConnectError: nobody is there"}'
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
    while not (folder / "go").exists():
        time.sleep(0.01)
if name != "server":
    sys.stderr.write('{"event": "registered"}\n')
    sys.stderr.flush()
(folder / f"{name}.up").touch()
while True:
    signal.sigwait({signal.SIGTERM})
    _note("asked")
    if manner != "stubborn":
        break
_note("ended")
