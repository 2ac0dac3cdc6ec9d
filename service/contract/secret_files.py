"""Settings that lie as files in a folder, as Docker, Kubernetes and systemd hand secrets over."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

_PREFIX = "trainyard_"


def with_secret_files(settings: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The settings, and those of `names` that lie as files in the folder `secrets_dir`.

    The file of `token` is `trainyard_token`; white space at its ends does not count. A file wins
    over a variable and an option, since images set variables as defaults; other files are
    nobody's concern. Raises ValueError for a folder or a file of a setting that cannot be read,
    and for an empty file.
    """
    folder = settings.get("secrets_dir")
    if not folder:
        return settings
    try:
        paths = sorted(Path(folder).iterdir())
    except OSError as error:
        raise ValueError(
            f"secrets_dir: {folder} cannot be read ({error.strerror}): name the folder of the "
            "secrets, or set none"
        ) from error
    wanted = {path.name.removeprefix(_PREFIX): path for path in paths if _is_setting(path, names)}
    return settings | {name: _text_of(path) for name, path in wanted.items()}


def _is_setting(path: Path, names: Collection[str]) -> bool:
    name = path.name.removeprefix(_PREFIX)
    return path.name.startswith(_PREFIX) and name != "secrets_dir" and name in names


def _text_of(path: Path) -> str:
    try:
        text = path.read_text("utf-8").strip()
    except OSError as error:
        message = f"secrets_dir: {path} cannot be read ({error.strerror})"
        raise ValueError(f"{message}: let the user that runs this read it") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"secrets_dir: {path} is not UTF-8: write the secret as text") from error
    if not text:
        raise ValueError(f"secrets_dir: {path} is empty: write the secret into it, or remove it")
    return text
