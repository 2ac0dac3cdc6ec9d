"""What a benchmark reports: a section of the page, and figures that later runs compare with."""

import re
from math import isfinite
from typing import Literal

from pydantic.dataclasses import dataclass

_KEY = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")


@dataclass(frozen=True)
class Figure:
    """One measured number with its goal, if it has one.

    `key` is the same in every run (`sqlite.claim_p99_ratio`): a comparison finds the number of an
    earlier run by it. `unit` is empty for a ratio.
    """

    key: str
    what: str
    value: float
    better: Literal["lower", "higher"]
    unit: str = ""
    goal: float | None = None

    def __post_init__(self) -> None:
        assert _KEY.fullmatch(self.key), f"{self.key!r}: small letters, digits, _ and dots"
        assert isfinite(self.value), f"{self.key} was measured as {self.value}"

    @property
    def is_met(self) -> bool | None:
        """Whether the value reaches the goal; None without one."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.better == "lower" else self.value >= self.goal

    @property
    def shown(self) -> str:
        """The value with its unit."""
        return f"{number(self.value)} {self.unit}".strip()

    @property
    def goal_shown(self) -> str:
        """The goal as a limit, empty without one."""
        if self.goal is None:
            return ""
        limit = "at most" if self.better == "lower" else "at least"
        return f"{limit} {number(self.goal)} {self.unit}".strip()

    @property
    def verdict(self) -> str:
        """`met` or `MISSED`, empty without a goal."""
        return {None: "", True: "met", False: "MISSED"}[self.is_met]


@dataclass(frozen=True)
class Section:
    """A table, a sentence on what is compared, the figures, and notes on what was left out."""

    title: str
    says: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        keys = [figure.key for figure in self.figures]
        assert len(keys) == len(set(keys)), f"a key names one figure: {sorted(keys)}"

    @property
    def decisions(self) -> tuple[str, ...]:
        """A sentence for each goal: what was measured, the goal, and whether it was met."""
        return tuple(
            f"{figure.what}: {figure.shown}, goal {figure.goal_shown}: {figure.verdict}"
            for figure in self.figures
            if figure.goal is not None
        )


def number(value: float) -> str:
    """A number in three digits, or in full from a thousand on."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
