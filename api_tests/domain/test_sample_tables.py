"""Samples as tables: compact, exact to ten-thousandths, and never without their extremes."""

import random

from service.contract.samples import GpuSample, Sample
from service.domain.sample_tables import SampleTable, joined, values_of

HOUR = 1_800_000_000


def a_table(rows: int = 360, gpus: int = 8) -> SampleTable:
    draw = random.Random(0)
    names = ["cpu_use", "memory_use", "disk_use"]
    for index in range(gpus):
        names += [f"gpu{index}.use", f"gpu{index}.memory_use", f"gpu{index}.power_watts"]
    return SampleTable.of_rows(
        (HOUR + row * 10, {name: round(draw.random(), 2) for name in names}) for row in range(rows)
    )


def test_a_table_is_read_as_it_was_and_takes_a_tenth_of_its_text() -> None:
    table = a_table()
    content = table.to_bytes()
    assert SampleTable.of_bytes(content) == table
    text = sum(len(repr(row)) for row in table.rows())
    assert len(content) < text / 10


def test_what_was_not_measured_is_absent_and_no_zero() -> None:
    table = SampleTable.of_rows([(HOUR, {"cpu_use": 0.5}), (HOUR + 10, {"disk_use": 0.0})])
    again = SampleTable.of_bytes(table.to_bytes())
    assert again.columns == {"cpu_use": [0.5, None], "disk_use": [None, 0.0]}
    assert again.series(0, 2 * HOUR, 100) == {
        "cpu_use": [(HOUR, 0.5)],
        "disk_use": [(HOUR + 10, 0.0)],
    }


def test_an_empty_table_is_read_again() -> None:
    assert SampleTable.of_bytes(SampleTable().to_bytes()) == SampleTable()


def test_coarse_rows_and_thinned_series_keep_a_spike_of_one_sample() -> None:
    table = a_table()
    table.columns["cpu_use"][123] = 1.0
    table.columns["gpu0.power_watts"][200] = -1.0
    coarse = table.coarse(300)
    assert len(coarse.times) == 24
    for each in (coarse, SampleTable.of_bytes(coarse.to_bytes())):
        series = each.series(0, 2 * HOUR, 10)
        assert max(value for _, value in series["cpu_use"]) == 1.0
        assert min(value for _, value in series["gpu0.power_watts"]) == -1.0
        assert all(len(points) <= 10 for points in series.values())


def test_a_series_has_the_span_that_is_asked_for() -> None:
    series = a_table().series(HOUR + 100, HOUR + 200, 300)
    assert [at for at, _ in series["cpu_use"]] == list(range(HOUR + 100, HOUR + 201, 10))
    assert a_table().series(0, HOUR - 1, 300) == {}


def test_tables_of_other_columns_are_joined() -> None:
    one = SampleTable.of_rows([(HOUR, {"cpu_use": 0.5})])
    other = SampleTable.of_rows([(HOUR + 10, {"disk_use": 0.25})])
    assert joined([one, other]).columns == {"cpu_use": [0.5, None], "disk_use": [None, 0.25]}


def test_a_sample_has_a_value_for_each_series_that_is_known() -> None:
    sample = Sample(
        cpu_use=0.5,
        memory_used_bytes=1,
        memory_total_bytes=4,
        disk_used_bytes=1,
        disk_total_bytes=0,
        gpus=(GpuSample(index=3, use=1.0, temperature_celsius=61.0),),
    )
    assert values_of(sample) == {
        "cpu_use": 0.5,
        "memory_use": 0.25,
        "gpu3.use": 1.0,
        "gpu3.temperature_celsius": 61.0,
    }


def test_a_value_is_the_same_before_its_hour_is_kept_and_afterwards() -> None:
    sample = Sample(cpu_use=99.9 / 100, memory_used_bytes=1, memory_total_bytes=3)
    values = values_of(sample)
    assert values == {"cpu_use": 0.999, "memory_use": 0.3333}
    kept = SampleTable.of_bytes(SampleTable.of_rows([(HOUR, values)]).to_bytes())
    assert dict(kept.rows()) == {HOUR: values}


def test_a_value_beyond_all_measures_is_kept_as_the_highest() -> None:
    table = SampleTable.of_rows([(HOUR, {"gpu0.power_watts": 1e21})])
    (value,) = SampleTable.of_bytes(table.to_bytes()).columns["gpu0.power_watts"]
    assert value == (2**31 - 1) / 10_000


def test_a_clock_beyond_the_seconds_of_32_bits_is_no_fault() -> None:
    table = SampleTable.of_rows([(2**33, {"cpu_use": 0.5}), (2**33 + 10, {"cpu_use": 0.25})])
    assert SampleTable.of_bytes(table.to_bytes()) == table
