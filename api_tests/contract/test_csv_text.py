"""CSV: no text is a formula for a spreadsheet, and each value is read back as it was."""

import csv
import io
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.contract.csv_text import csv_text, plain_text


def _cells(*values: object) -> list[str]:
    (row,) = csv.reader(io.StringIO(csv_text([values]), newline=""))  # type: ignore[list-item]
    return row


@pytest.mark.parametrize("first", [*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"])
def test_a_text_that_a_spreadsheet_would_run_has_an_apostrophe_before_it(first: str) -> None:
    formula = f'{first}HYPERLINK("http://evil.example","x")'
    assert _cells(formula) == [f"'{formula}"]
    assert plain_text(f"'{formula}") == formula


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_every_text_is_read_back_as_it_was(texts: list[str]) -> None:
    assert [plain_text(cell) for cell in _cells(*texts, "end")] == [*texts, "end"]


@given(st.lists(st.floats(), min_size=1))
def test_every_number_is_read_back_as_it_was(numbers: list[float]) -> None:
    for number, cell in zip(numbers, _cells(*numbers, 1), strict=False):
        same = float(cell)
        assert same == number or (math.isnan(same) and math.isnan(number))


def test_moments_are_in_utc_and_nothing_is_an_empty_cell() -> None:
    moment = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    values = (moment, moment.astimezone(UTC), None, True, False, 7)
    assert _cells(*values) == ["2026-01-01T00:00:00Z"] * 2 + ["", "true", "false", "7"]
