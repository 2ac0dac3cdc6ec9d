"""The series of a job's metrics."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from service.client import html
from service.client.errors import MissingPackage
from service.client.table_files import Tabular
from service.contract.flat_rows import Row

if TYPE_CHECKING:
    import pandas

_Reply = TypeVar("_Reply")


class MetricSeries(dict[str, list[tuple[int, float]]], Tabular):
    """By name of a metric its (step, value) pairs, in order of the steps."""

    def _rows(self) -> Iterable[Row]:
        values = {name: dict(points) for name, points in self.items()}
        for step in sorted({step for points in values.values() for step in points}):
            yield {"step": step} | {name: at[step] for name, at in values.items() if step in at}

    def to_pandas(self) -> "pandas.DataFrame":
        """A table with a column for each metric, and the step as its index.

        Steps at which a metric has no value have NaN. Raises MissingPackage without pandas.
        """
        try:
            import pandas
        except ImportError as error:
            raise MissingPackage("to_pandas needs pandas: pip install pandas") from error
        columns = {name: pandas.Series(dict(points)) for name, points in self.items()}
        table = pandas.DataFrame(columns).sort_index()
        table.index.name = "step"
        return table

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {len(points)} points" for name, points in self.items())
        return f"<MetricSeries {sizes or 'nothing was measured yet'}>"

    def _repr_html_(self) -> str:
        return html.curves(self) or html.note("Nothing was measured yet.")


class LastMetrics(dict[str, float], Generic[_Reply]):
    """By name the last value of each metric of a job; called, it reads their series."""

    def __init__(self, values: Mapping[str, float], read: Callable[..., _Reply]) -> None:
        super().__init__(values)
        self._read = read

    def __call__(
        self,
        names: Sequence[str] = (),
        *,
        since_step: int | None = None,
        max_points: int | None = None,
    ) -> _Reply:
        """The series of (step, value) by metric name; all metrics if `names` is empty.

        Only steps from `since_step` on; a longer series is reduced to `max_points` values.
        """
        return self._read(names, since_step=since_step, max_points=max_points)
