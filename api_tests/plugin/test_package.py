"""The package that docs/extending.md shows is the one that the tests install."""

from pathlib import Path

from api_tests.support.doc_files import doc_files

HERE = Path(__file__).parent


def test_the_package_is_as_small_as_the_docs_say() -> None:
    files = HERE.glob("mobilenet_v3/*.py")
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert len(lines) <= 60


def test_the_docs_show_the_very_files_of_the_package() -> None:
    shown = {path: text for path, text in doc_files().items() if (HERE / path).exists()}
    assert set(shown) == {"pyproject.toml", "mobilenet_v3/__init__.py", "mobilenet_v3/training.py"}
    assert shown == {path: (HERE / path).read_text() for path in shown}
