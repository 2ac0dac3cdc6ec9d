"""The weights that a job starts from or evaluates, as people name them."""

from collections.abc import Mapping
from typing import Any

from service.cli.exit_codes import BadInput
from service.cli.references import checkpoint_id_of, job_id_of
from service.client import Client

_FILE = "file:"


def checkpoint_of(client: Client, reference: str) -> dict[str, Any]:
    """The object of a submission that names weights.

    `file:PATH` is a file below the import root, JOB@latest and JOB@best a checkpoint of a job, and
    everything else the id or the tag of a checkpoint.
    """
    if reference.startswith(_FILE):
        return {"file": reference.removeprefix(_FILE)}
    job, at, which = reference.rpartition("@")
    if at and job and which in ("latest", "best"):
        return {"job": job_id_of(client, job), "which": which}
    return {"id": checkpoint_id_of(client, reference)}


def start_of(
    client: Client, reference: str | None, changes: Mapping[str, str], of_file: Any
) -> dict[str, Any] | None:
    """`init_from` of a submission, from the options or with their changes to that of the file.

    Raises BadInput for changes without weights.
    """
    if reference is not None:
        return {**checkpoint_of(client, reference), **changes}
    if not changes:
        return None
    if not isinstance(of_file, Mapping):
        raise BadInput("--init-state and --init-head need weights: name them with --init-from")
    return {**of_file, **changes}
