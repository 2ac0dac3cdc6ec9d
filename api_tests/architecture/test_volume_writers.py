"""Who changes checkpoints on the volume, and who opens their tensors (docs/scale.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_only_the_writer_and_the_remover_of_checkpoints_change_the_volume_by_disk() -> None:
    assert importers_of("service.volume.disk") == {
        "service/control/checkpoints/gc.py",
        "service/volume/removal.py",
        "workers/checkpoints/folder.py",
        "workers/checkpoints/snapshot.py",
        "workers/exchange/publish.py",
    }


def test_checkpoints_are_staged_by_the_training_and_the_import_alone() -> None:
    for name in ("staged", "write_manifest"):
        assert importers_of("workers.checkpoints.folder", name) == {
            "workers/checkpoints/snapshot.py",
            "workers/exchange/publish.py",
        }


def test_tensors_of_checkpoints_are_opened_in_one_room() -> None:
    importers = importers_of("safetensors") | importers_of("safetensors.torch")
    assert "workers/checkpoints/snapshot.py" in importers
    assert {str(Path(path).parent) for path in importers} == {"workers/checkpoints"}


def importers_of(module: str, name: str | None = None) -> set[str]:
    """The files of the product that import a module, or one name of it."""
    package, _, last = module.rpartition(".")
    importers = set()
    for path, node in nodes_with(module):
        if isinstance(node, ast.Import):
            imports = any(alias.name == module for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            is_of_module = node.module == module and (name is None or name in names)
            imports = is_of_module or (node.module == package and last in names)
        else:
            continue
        if imports:
            importers.add(path)
    return importers


def nodes_with(module: str) -> Iterator[tuple[str, ast.AST]]:
    """Each node of the files that have the last part of a module's name, with its file."""
    last = module.rpartition(".")[2]
    for package in ("service", "workers"):
        for path in sorted((ROOT / package).rglob("*.py")):
            source = path.read_text()
            if last in source:
                for node in ast.walk(ast.parse(source)):
                    yield str(path.relative_to(ROOT)), node
