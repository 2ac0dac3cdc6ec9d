"""What changed between two runs of the benchmarks."""

from collections.abc import Mapping

from benchmarks.record import Records, figures
from benchmarks.report import Figure

TOLERANCE = 0.10
"""A change of at most this share is noise."""


def compare(before: Records, after: Records) -> list[str]:
    """A line for each figure that changed by more than the tolerance, came or went.

    One in another unit has gone and come. Only benchmarks of `after` are compared: those of
    `before` that did not run are left out.
    """
    old = figures({name: record for name, record in before.items() if name in after})
    new = figures(after)
    both = {key for key in old.keys() & new.keys() if old[key].unit == new[key].unit}
    lines = [
        *(f"{name}: measured on another machine: {before[name].machine}"
          for name in sorted(before.keys() & after.keys())
          if not before[name].machine.is_like(after[name].machine)),
        *_changes({key: (old[key], new[key]) for key in both}),
        *(f"came    {key}: {new[key].shown}" for key in sorted(new.keys() - both)),
        *(f"went    {key}: {old[key].shown}" for key in sorted(old.keys() - both)),
    ]  # fmt: skip
    changed = sum(line.startswith(("worse", "better")) for line in lines)
    return [*lines, f"{changed} of {len(both)} figures changed by more than {TOLERANCE:.0%}"]


def _changes(pairs: Mapping[str, tuple[Figure, Figure]]) -> list[str]:
    """The worst first."""
    changes = []
    for key, (old, new) in pairs.items():
        share = _share(old.value, new.value)
        if abs(share) <= TOLERANCE:
            continue
        gain = share if new.better == "higher" else -share
        word = "better" if gain > 0 else "worse "
        text = f"{word}  {key}: {old.shown} -> {new.shown} ({share:+.0%})"
        changes.append((gain, text))
    return [text for _, text in sorted(changes)]


def _share(old: float, new: float) -> float:
    """The change as a share of the old value; from nothing to something is a whole one."""
    if old == new:
        return 0.0
    return (new - old) / abs(old) if old else 1.0 if new > old else -1.0
