"""Options by which a command gives its whole table to another program."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from service.cli import terminal
from service.cli.exit_codes import BadInput
from service.client.item_rows import row_of
from service.client.table_files import Rows, Tabular, csv_of

_PANEL = "Server and output"
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.", rich_help_panel=_PANEL)]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write a table into FILE, which ends in .csv or .parquet.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
_SUFFIXES = (".csv", ".parquet")


def is_export(*, as_csv: bool, output: Path | None, as_json: bool) -> bool:
    """Whether a table is asked for; raises BadInput for what does not go together."""
    if sum((as_csv, output is not None, as_json)) > 1:
        raise BadInput("give one of --csv, --output and --json")
    if output is not None and output.suffix not in _SUFFIXES:
        raise BadInput(f"--output {output}: the name must end in .csv or .parquet")
    return as_csv or output is not None


def export_items(
    items: Iterable[object],
    output: Path | None,
    columns: Sequence[str],
    limit: int | None = None,
) -> None:
    """Write a list, or the first items of it, as a table, which has some columns at least."""
    export(Rows(map(row_of, islice(items, limit)), columns), output)


def export(table: Tabular, output: Path | None) -> None:
    """Write a table into a file, whose path is printed, or print it as CSV."""
    if output is None:
        terminal.echo_csv(csv_of(table))
        return
    written = table.to_parquet(output) if output.suffix == ".parquet" else table.to_csv(output)
    terminal.echo_path(written)
