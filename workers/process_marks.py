"""The processes that carry a mark: a variable of the environment that their first one was given."""

from pathlib import Path


def processes_with(variable: str, value: str) -> list[int]:
    """The processes that were started with `variable=value` in their environment."""
    entry = f"{variable}={value}".encode()
    pids = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        # What has just ended, or is another user's, is none of the worker's.
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if entry in environment.split(b"\0"):
            pids.append(int(folder.name))
    return pids
