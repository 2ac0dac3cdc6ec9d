"""Lists and series of the client as pandas, CSV and Parquet."""

import csv
import math
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from api_tests.support.coroutines import result_of
from api_tests.support.fake_rest_server import FakeRestServer, a_checkpoint, a_job
from service.client import AsyncClient, Client, MetricSeries, MissingPackage
from service.client.table_files import Rows

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def three_jobs(fake: FakeRestServer) -> FakeRestServer:
    fake.jobs = [
        a_job(1, name="=1+1", labels={"team": "vision"}),
        a_job(2, metrics={"loss": 0.1 + 0.2}),
        a_job(3, metrics={}, started_at=CREATED, finished_at=datetime(2026, 1, 2, tzinfo=UTC)),
    ]
    return fake


@pytest.mark.usefixtures("three_jobs")
def test_a_list_of_jobs_is_a_parquet_file_with_the_types_of_its_values(
    client: Client, tmp_path: Path
) -> None:
    assert client.jobs().to_parquet(tmp_path / "jobs.parquet") == tmp_path / "jobs.parquet"
    table = pyarrow.parquet.read_table(tmp_path / "jobs.parquet")
    assert table.column("id").to_pylist() == ["job_0001", "job_0002", "job_0003"]
    assert table.column("name").to_pylist() == ["=1+1", None, None]
    assert table.column("metrics.loss").to_pylist() == [0.5321, 0.1 + 0.2, None]
    assert table.column("label.team").to_pylist() == ["vision", None, None]
    assert table.column("created_at").to_pylist() == [CREATED] * 3
    assert table.column("duration_seconds").to_pylist() == [None, None, 86_400.0]
    types = {name: table.schema.field(name).type for name in ("step", "message", "created_at")}
    assert types["step"] == pyarrow.int64()
    assert types["message"] == pyarrow.string()
    assert types["created_at"].tz == "UTC"
    assert [path.name for path in tmp_path.iterdir()] == ["jobs.parquet"]


@pytest.mark.usefixtures("three_jobs")
def test_a_list_of_jobs_is_a_csv_file_and_a_frame(client: Client, tmp_path: Path) -> None:
    client.jobs().to_csv(tmp_path / "jobs.csv")
    with (tmp_path / "jobs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["'=1+1", "", ""]
    assert float(rows[1]["metrics.loss"]) == 0.1 + 0.2
    frame = client.jobs().to_pandas()
    assert frame["name"][0] == "=1+1"
    assert math.isnan(frame["metrics.loss"][2])


def test_checkpoints_and_what_has_no_columns_of_its_own_are_tables_too(
    fake: FakeRestServer, client: Client
) -> None:
    fake.checkpoints = [a_checkpoint(1, b"x"), a_checkpoint(2, b"xy")]
    frame = client.checkpoints().to_pandas()
    assert frame["bytes"].tolist() == [1, 2]
    assert frame["metrics.top1_error"].tolist() == [0.1234, 0.1234]
    assert client.checkpoints().first(0) == []


def test_an_asynchronous_list_is_written_too(three_jobs: FakeRestServer, tmp_path: Path) -> None:
    async def written() -> Path:
        async with AsyncClient(three_jobs.url) as client:
            await client.jobs().to_csv(tmp_path / "jobs.csv")
            return await client.jobs().to_parquet(tmp_path / "jobs.parquet")

    assert pyarrow.parquet.read_table(result_of(written())).num_rows == 3
    assert (tmp_path / "jobs.csv").read_text().count("\n") == 4


def test_a_series_is_a_table_with_the_step(tmp_path: Path) -> None:
    series = MetricSeries(loss=[(1, 0.5), (2, math.nan), (3, math.inf)], top1_error=[(2, 0.25)])
    series.to_parquet(tmp_path / "x.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "x.parquet").to_pydict()
    assert (table["step"], table["top1_error"]) == ([1, 2, 3], [None, 0.25, None])
    assert math.isnan(table["loss"][1])
    assert table["loss"][2] == math.inf
    assert series.to_csv(tmp_path / "x.csv").read_text() == (
        "step,loss,top1_error\n1,0.5,\n2,nan,0.25\n3,inf,\n"
    )


def test_a_column_of_numbers_and_texts_is_a_column_of_texts(tmp_path: Path) -> None:
    rows = Rows([{"param.x": 1}, {"param.x": "auto"}, {"param.y": 2**70}, {"param.z": 1.5}])
    rows.append({"param.z": 2})
    rows.to_parquet(tmp_path / "x.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "x.parquet").to_pydict()
    assert table["param.x"] == ["1", "auto", None, None, None]
    assert table["param.y"] == [None, None, str(2**70), None, None]
    assert table["param.z"] == [None, None, None, 1.5, 2.0]


def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackage, match=r"trainyard-service\[parquet\]"):
        Rows([{"a": 1}]).to_parquet(tmp_path / "x.parquet")
    assert not list(tmp_path.iterdir())
