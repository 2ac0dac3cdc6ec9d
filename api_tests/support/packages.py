"""Packages that are installed for one test."""

from collections.abc import Mapping
from pathlib import Path


def package(root: Path, name: str, files: str | Mapping[str, str], group: str, value: str) -> None:
    """Install a package with one entry point, `name = value`, below `root`.

    `files` are its files by path, or the text of its only module, which is called `name`.
    """
    texts = {f"{name}.py": files} if isinstance(files, str) else files
    for path, text in texts.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    info = root / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {name}:{value}\n")
