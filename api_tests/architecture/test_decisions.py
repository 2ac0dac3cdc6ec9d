"""The decisions in docs/decisions: one number each, without a gap."""

from pathlib import Path

DECISIONS = Path(__file__).parents[2] / "docs" / "decisions"


def test_decisions_are_numbered_one_after_another_and_say_their_number() -> None:
    paths = sorted(DECISIONS.glob("[0-9]*.md"))
    numbers = [int(path.name.split("-")[0]) for path in paths]
    assert numbers == list(range(1, len(paths) + 1))
    for number, path in zip(numbers, paths, strict=True):
        assert path.read_text().startswith(f"# {number}. "), path.name
