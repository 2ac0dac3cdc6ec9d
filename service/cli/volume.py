"""Commands that read checkpoint folders on a volume, without a server or a database."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from service.cli import figures, terminal
from service.cli.documents import FolderVerification
from service.cli.exit_codes import BadInput, Failed, UnknownReference
from service.cli.options import print_json, print_json_lines
from service.cli.tables import print_table
from service.contract.checkpoints import Checkpoint, Manifest
from service.contract.counts import count_text
from service.volume.folder import checkpoints_in, latest_in, newer_in, read_manifest, verify


def list_folders(folder: Path, limit: int, *, as_json: bool) -> None:
    """Print at most `limit` checkpoints below a folder, the highest steps first."""
    newest = list(islice(reversed(checkpoints_in(_existing(folder))), limit))
    if as_json:
        print_json_lines(_checkpoint(path, manifest, folder) for path, manifest in newest)
        return
    titles = ("FOLDER", "CHECKPOINT", "STEP", "PHASE", "TOP-1 ERROR", "SIZE")
    print_table(titles, (_row(path, manifest) for path, manifest in newest))


def latest_folder(folder: Path, *, as_json: bool) -> None:
    """Print the folder of the whole checkpoint with the highest step, or raise UnknownReference."""
    latest = latest_in(_existing(folder))
    manifest = read_manifest(latest) if latest is not None else None
    if latest is None or manifest is None:
        raise UnknownReference(f"no checkpoint below {folder} is whole")
    print_json(_checkpoint(latest, manifest, folder)) if as_json else terminal.echo_path(latest)


def verify_folders(folder: Path, *, as_json: bool) -> None:
    """Read every byte of every checkpoint below a folder, and print the problems of each.

    Raises Failed if one is damaged, UnknownReference if there is none.
    """
    checkpoints = checkpoints_in(_existing(folder))
    if not checkpoints:
        problems = verify(folder) if folder.is_dir() else []
        raise UnknownReference(f"no checkpoint is at or below {folder}: {'; '.join(problems)}")
    known = [(path, manifest.checkpoint_id) for path, manifest in checkpoints]
    damaged = 0
    for path, checkpoint_id in (*((path, None) for path in newer_in(folder)), *known):
        problems = verify(path)
        damaged += bool(problems) and checkpoint_id is not None
        if as_json:
            print_json_lines((_verification(path, checkpoint_id, problems),))
        else:
            terminal.echo(f"{path}: {'; '.join(problems) or 'whole'}")
    if damaged:
        are = "is" if damaged == 1 else "are"
        raise Failed(f"{damaged} of {count_text(len(checkpoints), 'checkpoint')} {are} damaged")


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder")
    return folder


def _checkpoint(path: Path, manifest: Manifest, folder: Path) -> Checkpoint:
    return Checkpoint.of(manifest, str(path.relative_to(folder)), manifest.created_at)


def _verification(
    path: Path, checkpoint_id: str | None, problems: Sequence[str]
) -> FolderVerification:
    return FolderVerification(
        path=path, checkpoint_id=checkpoint_id, ok=not problems, problems=tuple(problems)
    )


def _row(path: Path, manifest: Manifest) -> tuple[str, ...]:
    return (
        str(path),
        manifest.checkpoint_id,
        str(manifest.step),
        manifest.phase,
        figures.error_rate(manifest.metrics.get("top1_error")),
        figures.size(sum(file.bytes for file in manifest.files.values())),
    )
