"""The glossary and the links of the documentation."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TERMS = """
agent, attempt, attempt folder, capacity, catalog, checkpoint, claim, data root, directive, drain,
fence, gc, heartbeat, import root, kind, launcher, lease, manifest, notifier, phase, poison, process
tree, purge, quarantine, queue order, rank, reaper, recalibration, recipe, reindex, reservation,
resource class, retention, variant, volume, worker, worker losses
"""


def _entries() -> dict[str, str]:
    text = GLOSSARY.read_text()
    return dict(re.findall(r"^- \*\*(.+?)\*\*(.*?)(?=^- |\Z)", text, re.MULTILINE | re.DOTALL))


def _links(text: str) -> list[str]:
    return re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_links_to_exists(page: Path) -> None:
    missing = [link for link in _links(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def test_the_glossary_defines_the_terms_of_the_protocol() -> None:
    terms = set(" ".join(TERMS.split()).split(", "))
    assert terms - _entries().keys() == set()


def test_each_entry_of_the_glossary_links_to_the_code_or_to_another_entry() -> None:
    entries = _entries()
    lost = []
    for term, text in entries.items():
        see = re.search(r"see \*(.+?)\*", text)
        if not _links(text) and not (see and see[1] in entries):
            lost.append(term)
    assert lost == []


def test_the_glossary_is_in_alphabetical_order() -> None:
    terms = [term.lower() for term in _entries()]
    assert terms == sorted(terms)
