"""What ranks run in the place of the trainer, to end in every way; none imports torch."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.volume.folder import STAGE_PREFIX
from workers.attempt_dir import AttemptDir


def succeeds(spec_path: Path) -> int:
    """Says that it started and that it is done."""
    attempt_dir = _started(spec_path)
    _end(attempt_dir, "succeeded", "finished")
    return 0


def talks(spec_path: Path) -> int:
    """Says more than one heartbeat carries."""
    attempt_dir = _started(spec_path)
    for number in range(1200):
        attempt_dir.append("note", {"message": str(number)}, datetime.now(UTC))
    _end(attempt_dir, "succeeded", "finished")
    return 0


def obeys(spec_path: Path) -> int:
    """Runs until SIGTERM, and then ends as asked."""
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: asked.set())
    attempt_dir = _started(spec_path)
    asked.wait()
    _end(attempt_dir, "released", "released")
    return 0


def talks_at_its_end(spec_path: Path) -> int:
    """Runs until SIGTERM, and then says more than one report carries."""
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: asked.set())
    attempt_dir = _started(spec_path)
    asked.wait()
    for number in range(1200):
        attempt_dir.append("note", {"message": str(number)}, datetime.now(UTC))
    _end(attempt_dir, "released", "released")
    return 0


def waits_for_a_file(spec_path: Path) -> int:
    """Succeeds once the attempt's folder has a file `go`."""
    attempt_dir = _started(spec_path)
    _wait_for(spec_path.parent / "go")
    _end(attempt_dir, "succeeded", "finished")
    return 0


def hides_its_events(spec_path: Path) -> int:
    """Once a file `hang` is there, its events can be read only when there is a file `go`."""
    attempt_dir = _started(spec_path)
    _wait_for(spec_path.parent / "hang")
    hidden_path = attempt_dir.events_path.rename(attempt_dir.folder / "kept")
    # Nobody writes to it: who opens it waits, as on a volume that does not answer.
    os.mkfifo(attempt_dir.events_path)
    (attempt_dir.folder / "hangs").touch()
    _wait_for(spec_path.parent / "go")
    pipe = os.open(attempt_dir.events_path, os.O_RDWR)
    hidden_path.rename(attempt_dir.events_path)
    _end(attempt_dir, "succeeded", "finished")
    # Only now: another look could find the pipe, and be left in it.
    os.close(pipe)
    return 0


def refuses(spec_path: Path) -> int:
    """Heeds no SIGTERM, and has a child in a session of its own that does not either."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    # A child whose parent has gone, too.
    subprocess.run(["sh", "-c", "setsid sleep 601 &"], check=True)
    _started(spec_path)
    while True:
        signal.pause()


def hangs(spec_path: Path) -> int:
    """Starts, and then waits for what never comes."""
    if os.environ["RANK"] == "0":
        _started(spec_path)
    _waits_for_ever()
    return 0


def pulses(spec_path: Path) -> int:
    """Shows progress without an event until the attempt's folder has a file `go`."""
    attempt_dir = _started(spec_path)
    while not (spec_path.parent / "go").exists():
        attempt_dir.pulse()
        signal.sigtimedwait([], 0.05)
    _end(attempt_dir, "succeeded", "finished")
    return 0


def saves_slowly(spec_path: Path) -> int:
    """Writes a checkpoint bit by bit until the attempt's folder has a file `go`."""
    attempt_dir = _started(spec_path)
    stage = spec_path.parent / f"{STAGE_PREFIX}step-000000001"
    stage.mkdir()
    with (stage / "model.safetensors").open("wb", buffering=0) as file:
        while not (spec_path.parent / "go").exists():
            file.write(b"a chunk")
            signal.sigtimedwait([], 0.05)
    _end(attempt_dir, "succeeded", "finished")
    return 0


def fails(_: Path) -> int:
    """Ends with a status and a line in the log, and no last word."""
    sys.stderr.write("the roof is on fire\n")
    return 3


def finds_the_disk_full(_: Path) -> int:
    """Ends as a trainer does that cannot even write its last word."""
    raise OSError(28, "No space left on device")


def takes_all_memory(spec_path: Path) -> int:
    """Takes memory until the kernel ends it."""
    _started(spec_path)
    taken = []
    while True:
        taken.append(b"x" * (1 << 24))


def second_is_killed(spec_path: Path) -> int:
    """Rank 1 is killed; rank 0 would go on for ever."""
    if os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGKILL)
    return refuses(spec_path)


def second_never_ends(spec_path: Path) -> int:
    """The first rank succeeds; the second waits for what never comes."""
    if os.environ["RANK"] == "1":
        _waits_for_ever()
    return succeeds(spec_path)


def tells_its_place(spec_path: Path) -> int:
    """Writes what its environment says, and whether anyone listens there, to `place-<rank>.json`.

    The first rank ends last: it has the socket.
    """
    names = ["RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"]
    names += ["GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME", "CUDA_VISIBLE_DEVICES"]
    place: dict[str, Any] = {name: os.environ.get(name) for name in names}
    if place["WORLD_SIZE"] == "2":
        with socket.socket() as connection:
            address = (place["MASTER_ADDR"], int(place["MASTER_PORT"]))
            place["listens"] = connection.connect_ex(address) == 0
    (spec_path.parent / f"place-{place['RANK']}.json").write_text(json.dumps(place))
    if place["RANK"] == "0":
        if place["WORLD_SIZE"] == "2":
            _wait_for(spec_path.parent / "place-1.json")
        _end(_started(spec_path), "succeeded", "finished")
    return 0


def tells_all_places(spec_path: Path) -> int:
    """Each rank writes its place among those of all hosts to `place-<rank>`."""
    names = ["LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "GLOO_SOCKET_IFNAME"]
    place = " ".join(os.environ[name] for name in names)
    (spec_path.parent / f"place-{os.environ['RANK']}").write_text(place)
    return 0


def _waits_for_ever() -> None:
    while True:
        signal.pause()


def _wait_for(path: Path) -> None:
    while not path.exists():
        signal.sigtimedwait([], 0.01)


def _started(spec_path: Path) -> AttemptDir:
    attempt_dir = AttemptDir(spec_path.parent)
    body = {"total_steps": 1, "resumed_from": None, "step": 0}
    attempt_dir.append("started", body, datetime.now(UTC))
    return attempt_dir


def _end(attempt_dir: AttemptDir, outcome: str, reason: str) -> None:
    body = {"outcome": outcome, "reason": reason, "message": "", "result": None}
    attempt_dir.append("ended", body, datetime.now(UTC))
