"""Tables of a client as pandas, CSV and Parquet."""

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.client.errors import MissingPackage
from service.contract.csv_text import Cell, cell_text, csv_text
from service.contract.flat_rows import Row, is_named

if TYPE_CHECKING:
    import pandas

_COMPRESSION: Any = "zstd"
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


class Tabular:
    """What has rows; a list that is read as it is needed is read to its end."""

    _first_columns: Sequence[str] = ()
    """The columns that are there without a row, too."""

    @abstractmethod
    def _rows(self) -> Iterable[Row]: ...

    def to_pandas(self) -> "pandas.DataFrame":
        """A table with a column for each field; raises MissingPackage without pandas."""
        try:
            import pandas
        except ImportError as error:
            raise MissingPackage("to_pandas needs pandas: pip install pandas") from error
        return pandas.DataFrame(dict(self._typed_columns()))

    def to_csv(self, path: str | Path) -> Path:
        """Write a CSV file, which appears once it is whole; its path.

        A text that a spreadsheet would run as a formula has an apostrophe before it.
        """
        return _written(Path(path), csv_of(self).encode())

    def to_parquet(self, path: str | Path) -> Path:
        """Write a Parquet file, which appears once it is whole; its path.

        Raises MissingPackage without pyarrow.
        """
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            needed = "to_parquet needs pyarrow: pip install 'trainyard-service[parquet]'"
            raise MissingPackage(needed) from error
        columns = {
            # A column of no value at all has no type of its own.
            name: pyarrow.array(values, pyarrow.string() if _is_empty(values) else None)
            for name, values in self._typed_columns()
        }
        whole = pyarrow.BufferOutputStream()
        pyarrow.parquet.write_table(pyarrow.table(columns), whole, compression=_COMPRESSION)
        return _written(Path(path), whole.getvalue().to_pybytes())

    def _typed_columns(self) -> Iterator[tuple[str, list[Any]]]:
        return ((name, _typed(values)) for name, values in self._columns())

    def _columns(self) -> Iterator[tuple[str, list[Cell]]]:
        """By name of a column its values, None where a row has none; those of names come last."""
        rows = list(self._rows())
        names = dict.fromkeys(self._first_columns)
        names |= dict.fromkeys(name for row in rows for name in row)
        for name in sorted(names, key=lambda each: (is_named(each), each * is_named(each))):
            yield name, [row.get(name) for row in rows]


class Rows(list[Row], Tabular):
    """Rows of a table: by name of a column a value; `columns` are there without a row, too."""

    def __init__(self, rows: Iterable[Row] = (), columns: Sequence[str] = ()) -> None:
        super().__init__(rows)
        self._first_columns = columns

    def _rows(self) -> Iterable[Row]:
        return self


def csv_of(table: Tabular) -> str:
    """A table as CSV."""
    columns = dict(table._columns())
    return csv_text([[*columns], *map(list, zip(*columns.values(), strict=True))])


def _typed(values: Sequence[Cell]) -> list[Any]:
    """The values of a column in one type: as texts, where some are numbers and others are not."""
    kinds = {type(each) for each in values if each is not None}
    if kinds == {int, float}:
        return [float(each) if isinstance(each, int) else each for each in values]
    whole = [each for each in values if isinstance(each, int)]
    fits = not whole or (min(whole) >= _SMALLEST and max(whole) <= _LARGEST)
    if fits and len(kinds) < 2:
        return list(values)
    return [each if each is None or isinstance(each, str) else cell_text(each) for each in values]


def _is_empty(values: Sequence[Any]) -> bool:
    return all(each is None for each in values)


def _written(path: Path, content: bytes) -> Path:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)
    return path
