"""The command that shows what an eval found out of each class."""

from typing import Annotated

import typer

from service.cli.exports import AsCsv, Output, export, is_export
from service.cli.options import LOCAL_SERVER, AsJson, JobId, Server, Token, connect, print_json_rows
from service.cli.references import job_id_of
from service.cli.tables import print_table
from service.contract.csv_text import cell_text


def classes(
    job_id: JobId,
    confusion: Annotated[
        bool,
        typer.Option("--confusion", help="Which classes were taken for which, and how often."),
    ] = False,
    as_csv: AsCsv = False,
    output: Output = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Show how many images of each class an eval got right."""
    exports = is_export(as_csv=as_csv, output=output, as_json=as_json)
    with connect(server, token) as client:
        evaluation = client.evaluation(job_id_of(client, job_id))
    rows = evaluation.confusion if confusion else evaluation.classes
    if exports:
        export(rows, output)
        return
    if as_json:
        print_json_rows(rows)
        return
    columns = list(rows[0]) if rows else []
    cells = (tuple(cell_text(row.get(name)) for name in columns) for row in rows)
    print_table(tuple(name.upper() for name in columns), cells)
