"""Packages that are installed for one test."""

from pathlib import Path


def package(root: Path, name: str, body: str, group: str, value: str) -> None:
    """Install a package with one module and one entry point below `root`."""
    (root / f"{name}.py").write_text(body)
    info = root / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {name}:{value}\n")
