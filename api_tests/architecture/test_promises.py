import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_a_page_of_the_docs_names_is_there() -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "api_tests").rglob("test_*.py"))
    known = set(re.findall(r"^ *def (test_\w+)", tests, re.MULTILINE))
    named = {
        name
        for page in (ROOT / "docs").glob("*.md")
        for name in re.findall(r"`(test_\w+)`", page.read_text())
    }
    assert named
    assert named - known == set()
