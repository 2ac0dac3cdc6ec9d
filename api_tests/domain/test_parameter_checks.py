"""The schema of a recipe's parameters, checked again and again."""

import sys
from typing import Any

import pytest

from service.domain.parameter_checks import ParameterChecks


def test_a_long_text_that_was_valid_is_not_kept_in_memory() -> None:
    checks = ParameterChecks({"properties": {"note": {"type": "string"}}})
    note = "".join(["a long note"] * 100)
    references = sys.getrefcount(note)
    assert not list(checks.errors({"note": note}))
    assert sys.getrefcount(note) == references


CONDITION = {"if": {"properties": {"exact": {"const": True}}}, "then": {"required": ["seed"]}}


@pytest.mark.parametrize(
    ("keywords", "valid", "wrong"),
    [
        pytest.param(CONDITION, {"exact": False}, {"exact": True}, id="another value"),
        pytest.param(CONDITION, {"exact": 1}, {"exact": True}, id="a value of another type"),
        pytest.param(CONDITION, {"exact": True, "seed": 1}, {"exact": True}, id="one is left out"),
        pytest.param(
            {"allOf": [{"not": CONDITION}]}, {"exact": True}, {"exact": False}, id="combined"
        ),
        pytest.param({"maxProperties": 1}, {"seed": 1}, {"seed": 1, "rate": 1}, id="of all"),
        pytest.param(
            {"not": {"additionalProperties": {"const": 2}}}, {"rate": 1}, {"rate": 2}, id="others"
        ),
        pytest.param(
            {"anyOf": [{"properties": {"note": {"const": "x" * 101}}}]},
            {"note": "x" * 101},
            {"note": "x" * 102},
            id="a long text",
        ),
    ],
)
def test_a_combination_is_refused_after_one_that_was_valid(
    keywords: dict[str, Any], valid: dict[str, Any], wrong: dict[str, Any]
) -> None:
    properties: dict[str, Any] = {"exact": {}, "seed": {}, "rate": {}, "note": {}}
    checks = ParameterChecks({"properties": properties, **keywords})
    for _ in range(2):
        assert not list(checks.errors(valid))
        assert list(checks.errors(wrong))
