"""What the images hold is enough for what runs in them, and no more."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PROBE = """
import sys
{imports}
foreign = [name for name in sys.modules if name.split('.')[0] in {foreign!r}]
assert not foreign, foreign
assert __import__('service').__file__.startswith({folder!r})
"""


def _laid_out(dockerfile: str, folder: Path) -> None:
    """Copies what the image copies of our own packages."""
    text = (_ROOT / "docker" / dockerfile).read_text()
    for source, target in re.findall(r"^COPY (\S+) (\S+)$", text, re.MULTILINE):
        place = folder / target
        place.parent.mkdir(parents=True, exist_ok=True)
        if (_ROOT / source).is_dir():
            shutil.copytree(_ROOT / source, place, dirs_exist_ok=True)
        else:
            shutil.copy(_ROOT / source, place)


@pytest.mark.parametrize(
    ("dockerfile", "imports", "foreign"),
    [
        ("service.Dockerfile", "import service.main, service.cli", ("torch", "workers")),
        ("worker.Dockerfile", "import workers.main", ("torch", "sqlalchemy", "fastapi")),
        ("worker.Dockerfile", "import workers.runs.rank", ("sqlalchemy", "fastapi")),
    ],
)
def test_an_image_imports_what_it_runs_from_its_own_files(
    dockerfile: str, imports: str, foreign: tuple[str, ...], tmp_path: Path
) -> None:
    _laid_out(dockerfile, tmp_path)
    probe = _PROBE.format(imports=imports, foreign=foreign, folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", probe],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
