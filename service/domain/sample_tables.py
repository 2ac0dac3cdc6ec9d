"""Samples of one worker as a table with a column for each series, and its compact form."""

import json
import sys
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from service.contract.samples import GpuSample, Sample
from service.domain.thinning import chosen_points

_DECIMALS = 4
_PARTS_OF_ONE = 10_000
"""Values are kept in ten-thousandths: of a percentage two decimals, of watts four."""
_ABSENT = -(2**31)
_LARGEST = 2**31 - 1
_BYTES = 4
_LEVEL = 6


@dataclass(frozen=True)
class SampleTable:
    """Rows at rising seconds since 1970; by name a column, with None where a row has no value."""

    times: list[int] = field(default_factory=list)
    columns: dict[str, list[float | None]] = field(default_factory=dict)

    @classmethod
    def of_rows(cls, rows: Iterable[tuple[int, Mapping[str, float]]]) -> "SampleTable":
        """The table of (seconds, values by name) in any order; of equal seconds the last counts."""
        ordered = sorted(dict(rows).items())
        names = sorted({name for _, values in ordered for name in values})
        columns = {name: [values.get(name) for _, values in ordered] for name in names}
        return cls([seconds for seconds, _ in ordered], columns)

    @classmethod
    def of_bytes(cls, content: bytes) -> "SampleTable":
        """What `to_bytes` was made of; raises ValueError."""
        try:
            head, _, packed = zlib.decompress(content).partition(b"\n")
        except zlib.error as error:
            raise ValueError(f"samples that cannot be read: {error}") from error
        names, count, begin = json.loads(head)
        numbers = _unpacked(packed)
        parts = [numbers[start : start + count] for start in range(0, len(numbers), count or 1)]
        columns = {name: _values(part) for name, part in zip(names, parts[1:], strict=True)}
        return cls([begin + each for each in parts[0]] if parts else [], columns)

    def to_bytes(self) -> bytes:
        """Compressed: a line of JSON with names, rows and first time, then all numbers."""
        begin = self.times[0] if self.times else 0
        head = json.dumps([list(self.columns), len(self.times), begin], allow_nan=False).encode()
        numbers = array("i", (seconds - begin for seconds in self.times))
        for column in self.columns.values():
            numbers.extend(map(_number, column))
        return zlib.compress(head + b"\n" + _packed(numbers), _LEVEL)

    def rows(self) -> Iterable[tuple[int, dict[str, float]]]:
        """Each row's seconds, and its values by name."""
        for row, seconds in enumerate(self.times):
            values = {name: column[row] for name, column in self.columns.items()}
            yield seconds, {name: each for name, each in values.items() if each is not None}

    def coarse(self, seconds: int) -> "SampleTable":
        """Two rows for each so many seconds: the lowest of each column, and the highest."""
        times: list[int] = []
        columns: dict[str, list[float | None]] = {name: [] for name in self.columns}
        numbered = groupby(range(len(self.times)), lambda row: self.times[row] // seconds)
        for _, members in numbered:
            rows = list(members)
            # Where there is one row alone, the two have the same values.
            times += self.times[rows[0]], max(self.times[rows[-1]], self.times[rows[0]] + 1)
            for name, column in self.columns.items():
                known = [value for value in (column[row] for row in rows) if value is not None]
                columns[name] += (min(known), max(known)) if known else (None, None)
        return SampleTable(times, columns)

    def series(
        self, since: int, until: int, max_points: int, names: Sequence[str] | None = None
    ) -> dict[str, list[tuple[int, float]]]:
        """By name the (seconds, value) pairs from `since` to `until`; names without any are absent.

        Of more than `max_points` the first, the last, and the extremes of equal parts. `names` are
        all, or those to read.
        """
        start, end = bisect_left(self.times, since), bisect_right(self.times, until)
        times = self.times[start:end]
        charts = {
            name: _chart(times, column[start:end], max_points)
            for name, column in self.columns.items()
            if names is None or name in names
        }
        return {name: chart for name, chart in charts.items() if chart}


def joined(tables: Sequence[SampleTable]) -> SampleTable:
    """One table of several, whose rows follow each other."""
    names = sorted({name for table in tables for name in table.columns})
    columns: dict[str, list[float | None]] = {name: [] for name in names}
    for table in tables:
        absent: list[float | None] = [None] * len(table.times)
        for name in names:
            columns[name] += table.columns.get(name, absent)
    return SampleTable([seconds for table in tables for seconds in table.times], columns)


def values_of(sample: Sample) -> dict[str, float]:
    """The values of a sample by the names of their series; what is not known is absent.

    In the parts in which they are kept: an hour is read the same before it is over and afterwards.
    """
    values: dict[str, float | None] = {
        "cpu_use": sample.cpu_use,
        "memory_use": _part(sample.memory_used_bytes, sample.memory_total_bytes),
        "disk_use": _part(sample.disk_used_bytes, sample.disk_total_bytes),
    }
    for gpu in sample.gpus:
        values |= _values_of_gpu(gpu)
    return {name: round(value, _DECIMALS) for name, value in values.items() if value is not None}


def gpu_prefix(index: int) -> str:
    """How the names of a GPU's series begin."""
    return f"gpu{index}."


def _values_of_gpu(gpu: GpuSample) -> dict[str, float | None]:
    prefix = gpu_prefix(gpu.index)
    return {
        f"{prefix}use": gpu.use,
        f"{prefix}memory_use": _part(gpu.memory_used_bytes, gpu.memory_total_bytes),
        f"{prefix}temperature_celsius": gpu.temperature_celsius,
        f"{prefix}power_watts": gpu.power_watts,
    }


def _part(used: int | None, total: int | None) -> float | None:
    return min(used / total, 1.0) if used is not None and total else None


def _chart(
    times: Sequence[int], column: Sequence[float | None], max_points: int
) -> list[tuple[int, float]]:
    points = [(at, each) for at, each in zip(times, column, strict=True) if each is not None]
    chosen = chosen_points([value for _, value in points], max_points)
    return points if len(chosen) == len(points) else [points[each] for each in chosen]


def _number(value: float | None) -> int:
    if value is None:
        return _ABSENT
    return min(max(round(value * _PARTS_OF_ONE), _ABSENT + 1), _LARGEST)


def _values(numbers: Sequence[int]) -> list[float | None]:
    return [None if number == _ABSENT else number / _PARTS_OF_ONE for number in numbers]


def _packed(numbers: "array[int]") -> bytes:
    """The lowest bytes of all numbers, then the next ones: so the high ones compress to nothing."""
    content = _little_endian(numbers).tobytes()
    return b"".join(content[start::_BYTES] for start in range(_BYTES))


def _unpacked(content: bytes) -> "array[int]":
    count = len(content) // _BYTES
    ordered = bytearray(len(content))
    for start in range(_BYTES):
        ordered[start::_BYTES] = content[start * count : (start + 1) * count]
    return _little_endian(array("i", bytes(ordered)))


def _little_endian(numbers: "array[int]") -> "array[int]":
    assert numbers.itemsize == _BYTES
    if sys.byteorder == "little":
        return numbers
    swapped = numbers[:]
    swapped.byteswap()
    return swapped
