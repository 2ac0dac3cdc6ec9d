"""The two transition tables as drawings; `python -m api_tests.support.drawings` puts them into
docs/protocol.md."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from service.contract.jobs import AttemptState, JobState
from service.domain.lifecycle import ATTEMPT_MOVES, JOB_MOVES

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"
_BEGIN, _END = "<!-- drawn: {} -->", "<!-- end -->"


def drawings() -> dict[str, str]:
    """By name what stands between its marks on the page."""
    return {
        "jobs": _drawn(JobState.QUEUED, JOB_MOVES),
        "attempts": _drawn(AttemptState.CLAIMED, ATTEMPT_MOVES),
    }


def on_the_page(name: str, page: str) -> str:
    """What stands between the marks of a drawing."""
    _, _, rest = page.partition(_BEGIN.format(name))
    drawn, end, _ = rest.partition(_END)
    assert end, f"docs/protocol.md has no marks for {name}"
    return drawn.strip()


def _drawn(start: StrEnum, moves: Mapping[tuple[StrEnum, StrEnum], StrEnum]) -> str:
    arrows: dict[tuple[StrEnum, StrEnum], list[str]] = {}
    for (state, event), then in moves.items():
        arrows.setdefault((state, then), []).append(event.replace("_", " "))
    ends = {then for _, then in arrows} - {state for state, _ in arrows}
    lines = [f"[*] --> {start}"]
    lines += [f"{state} --> {then}: {', '.join(by)}" for (state, then), by in arrows.items()]
    lines += [f"{end} --> [*]" for end in sorted(ends)]
    body = "\n".join(f"    {line}" for line in lines)
    return f"```mermaid\nstateDiagram-v2\n{body}\n```"


def main() -> None:
    """Draw anew."""
    page = PAGE.read_text()
    for name, drawn in drawings().items():
        begin = _BEGIN.format(name)
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(_END)
        page = f"{before}{begin}\n{drawn}\n{_END}{after}"
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
