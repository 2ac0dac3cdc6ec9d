"""The page of the benchmarks, drawn from their records: the goals first, then a section each."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch

from benchmarks.goals import GOALS, Goal
from benchmarks.record import Record, Records, figures
from benchmarks.report import Figure


def draw(
    head: str, records: Records, elsewhere: Mapping[str, Figure], goals: Sequence[Goal] = GOALS
) -> str:
    """The whole page in Markdown; `elsewhere` has figures that another page shows, by key."""
    sections = [_section(record) for _, record in sorted(records.items())]
    return "\n".join([head, *_index(records, elsewhere, goals), "", *sections])


def _index(records: Records, elsewhere: Mapping[str, Figure], goals: Sequence[Goal]) -> list[str]:
    """Each goal with what was reached; a figure's goal that no line of the table has, too."""
    own = {key: figure for key, figure in figures(records).items() if figure.goal is not None}
    others = {key: figure for key, figure in elsewhere.items() if figure.goal is not None}
    rows = [("goal", "against", "measured", "limit", "reached", ""), ("---",) * 6]
    shown: set[str] = set()
    for goal in goals:
        keys = [key for key in (own | others) if fnmatch(key, goal.figures)]
        shown.update(keys)
        if not keys:
            rows.append((goal.what, goal.against, "", goal.goal, "", "not measured yet"))
        for key in keys:
            rows.append((goal.what, goal.against, *_reached(key, own | others, records)))
    for key in own:
        if key not in shown:
            rows.append(("", "", *_reached(key, own, records)))
    return ["## Goals", "", *(_line(row) for row in rows)]


def _reached(key: str, known: Mapping[str, Figure], records: Records) -> tuple[str, str, str, str]:
    figure, name = known[key], key.split(".", 1)[0]
    record = records.get(name)
    what = f"[{figure.what}](#{anchor(record.section.title)})" if record else figure.what
    return what, figure.goal_shown, figure.shown, figure.verdict


def _section(record: Record) -> str:
    section = record.section
    table = [section.columns, tuple("---" for _ in section.columns), *section.rows]
    versions = ", ".join(f"{package} {number}" for package, number in record.versions.items())
    lists = [f"- {line}" for line in (*section.decisions, *section.notes)]
    ran = f"`{record.command}`, {record.date:%Y-%m-%d}, {record.seconds:.0f} s."
    return "\n".join(
        [
            f"## {section.title}",
            "",
            section.says,
            "",
            *(_line(row) for row in table),
            "",
            *([*lists, ""] if lists else []),
            f"{ran} {record.machine}. {versions}.",
            "",
        ]
    )


def _line(row: tuple[str, ...]) -> str:
    return f"| {' | '.join(row)} |"


def anchor(title: str) -> str:
    """The anchor that a Markdown page gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
