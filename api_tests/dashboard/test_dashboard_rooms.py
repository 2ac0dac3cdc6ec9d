"""Which folder of the page may import which: pages know no other page, and nothing knows a page."""

import re
from pathlib import Path

import pytest

DASHBOARD = Path(__file__).parents[2] / "service" / "dashboard"
ROOMS = ("shell", "pages", "charts", "parts", "state", "api", "text", "vendor")
"""From top to bottom: a file imports from its own room and from those below."""
MOST_LINES = 250
_IMPORT = re.compile(r'(?:from |import |import\()"(\.[^"]+\.js)"')


def _modules() -> list[Path]:
    return [path for path in DASHBOARD.rglob("*.js") if path.parent.name != "vendor"]


def _imports(module: Path) -> list[Path]:
    return [(module.parent / name).resolve() for name in _IMPORT.findall(module.read_text())]


def _room(path: Path) -> str:
    parts = path.relative_to(DASHBOARD).parts
    return parts[0] if len(parts) > 1 else "main"


@pytest.mark.parametrize("module", _modules(), ids=lambda path: path.name)
def test_a_module_imports_what_is_there_and_below_it(module: Path) -> None:
    for imported in _imports(module):
        assert imported.is_file(), imported
        if _room(module) != "main":
            assert ROOMS.index(_room(imported)) >= ROOMS.index(_room(module)), imported


def test_a_page_imports_no_other_page() -> None:
    for module in (DASHBOARD / "pages").glob("*/*.js"):
        for imported in _imports(module):
            if _room(imported) == "pages":
                assert imported.parent == module.parent, f"{module.name} imports {imported.name}"


def test_no_module_is_forgotten() -> None:
    reached, left = set[Path](), {DASHBOARD / "main.js"}
    while left:
        module = left.pop()
        reached.add(module)
        left |= set(_imports(module)) - reached if module.parent.name != "vendor" else set()
    assert set(_modules()) <= reached


@pytest.mark.parametrize("module", _modules(), ids=lambda path: path.name)
def test_a_module_has_one_noun(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= MOST_LINES
