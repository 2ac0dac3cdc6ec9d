"""What changed between two runs of the benchmarks."""

from collections.abc import Mapping

from benchmarks.record import Records, figures
from benchmarks.report import Figure

TOLERANCE = 0.10
"""A change of at most this share is noise."""


def compare(before: Records, after: Records) -> list[str]:
    """A line for each figure that changed by more than the tolerance, came or went.

    Only benchmarks of `after` are compared: those of `before` that did not run are left out.
    """
    old = figures({name: record for name, record in before.items() if name in after})
    new = figures(after)
    lines = [
        *(f"{name}: measured on another machine: {before[name].machine}"
          for name in sorted(before.keys() & after.keys())
          if not before[name].machine.is_like(after[name].machine)),
        *_changes(old, new),
        *(f"came    {key}: {new[key].shown}" for key in sorted(new.keys() - old.keys())),
        *(f"went    {key}: {old[key].shown}" for key in sorted(old.keys() - new.keys())),
    ]  # fmt: skip
    both = len(old.keys() & new.keys())
    changed = sum(line.startswith(("worse", "better")) for line in lines)
    return [*lines, f"{changed} of {both} figures changed by more than {TOLERANCE:.0%}"]


def _changes(old: Mapping[str, Figure], new: Mapping[str, Figure]) -> list[str]:
    """The worst first."""
    changes = []
    for key in old.keys() & new.keys():
        share = _share(old[key].value, new[key].value)
        if abs(share) <= TOLERANCE:
            continue
        gain = share if new[key].better == "higher" else -share
        word = "better" if gain > 0 else "worse "
        text = f"{word}  {key}: {old[key].shown} -> {new[key].shown} ({share:+.0%})"
        changes.append((gain, text))
    return [text for _, text in sorted(changes)]


def _share(old: float, new: float) -> float:
    """The change as a share of the old value; from nothing to something is a whole one."""
    if old == new:
        return 0.0
    return (new - old) / abs(old) if old else 1.0 if new > old else -1.0
