"""An architecture is one text, and its size follows from that text."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from api_tests.facts.published import SEARCH
from api_tests.support.specs import SPEC, submission
from service.contract.architecture_costs import cost_of, unit_cost
from service.contract.architectures import Architecture
from workers.recipes.oneshot.space import SPACE

SIZES = SEARCH["sizes"]
BLOCKS = "21012020202300003233"


def variant_of(variant: Any) -> str | None:
    return submission(SPEC | {"variant": variant}).variant


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ({"blocks": BLOCKS}, f"b{BLOCKS}"),
        ({"blocks": BLOCKS, "channels": None}, f"b{BLOCKS}"),
        ({"blocks": BLOCKS, "channels": "4" * 20}, f"b{BLOCKS}"),
        (f"b{BLOCKS}-c{'4' * 20}", f"b{BLOCKS}"),
        ({"blocks": BLOCKS, "channels": "4" * 19 + "3"}, f"b{BLOCKS}-c{'4' * 19}3"),
        ({"blocks": BLOCKS, "channels": "4" * 19}, f"b{BLOCKS}-c{'4' * 19}"),
        ("searched", "searched"),
        ("1.5x-g8", "1.5x-g8"),
        (None, None),
    ],
)
def test_an_architecture_has_one_text(named: Any, text: str | None) -> None:
    assert variant_of(named) == text


@pytest.mark.parametrize(
    ("named", "pointer"),
    [
        ({}, ("variant", "blocks")),
        ({"blocks": "21a"}, ("variant", "blocks")),
        ({"blocks": [2, 1]}, ("variant", "blocks")),
        ({"blocks": "2" * 41}, ("variant", "blocks")),
        ({"blocks": BLOCKS, "channels": "x"}, ("variant", "channels")),
        ({"blocks": BLOCKS, "width": "4"}, ("variant", "width")),
        (7, ("variant",)),
    ],
)
def test_what_are_no_digits_is_refused_at_the_field_that_has_them(
    named: Any, pointer: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError) as refused:
        variant_of(named)
    assert [error["loc"] for error in refused.value.errors()] == [pointer]


def test_the_formula_gives_the_published_size_at_all_640_places() -> None:
    side, compared = 112, 0
    for place, facts in zip(SPACE.places, SIZES["positions"], strict=True):
        for block in range(4):
            for width in range(8):
                cost = unit_cost(place, block, width, side)
                assert cost.multiply_adds == facts["macs"][block][width]
                assert cost.parameters == facts["params_affine"][block][width]
                compared += 1
        side //= place.stride
    assert compared == 640


def test_the_formula_gives_the_published_size_at_32_pixels() -> None:
    facts = SIZES["at_32_pixels_10_classes"]
    side = 16
    for place, macs in zip(SPACE.places, facts["macs"], strict=True):
        assert [unit_cost(place, block, 4, side).multiply_adds for block in range(4)] == macs
        side //= place.stride


@pytest.mark.parametrize("name", SIZES["named"])
def test_the_formula_gives_the_published_size_of_named_architectures(name: str) -> None:
    facts = SIZES["named"][name]
    architecture = Architecture.of(facts["blocks"], facts.get("scale_ids"))
    cost = cost_of(SPACE, architecture, 224, 1000)
    assert cost == (facts["params"], facts["macs"])


def test_an_architecture_that_has_a_name_is_that_variant() -> None:
    facts = SIZES["named"]["oneshot_searched"]
    searched = Architecture.of(facts["blocks"], facts["scale_ids"])
    assert SPACE.variant(searched) == "searched"
    assert SPACE.architecture("searched") == searched
    other = Architecture.of(facts["blocks"])
    assert SPACE.variant(other) == f"b{facts['blocks']}"
    assert SPACE.architecture(SPACE.variant(other)) == other


@pytest.mark.parametrize(
    ("architecture", "field", "detail"),
    [
        (Architecture.of("0" * 19), "blocks", "20 digits of 0 to 3, one for each place: these are"),
        (Architecture.of("0" * 19 + "4"), "blocks", "at place 19 is 4"),
        (Architecture("0" * 20, "4" * 21), "channels", "20 digits of 0 to 7.*these are 21"),
        (Architecture("0" * 20, "8" + "4" * 19), "channels", "at place 0 is 8"),
    ],
)
def test_what_is_no_architecture_of_the_space_says_which_field_is_wrong(
    architecture: Architecture, field: str, detail: str
) -> None:
    problem = SPACE.problem(architecture)
    assert problem is not None
    assert problem[0] == field
    assert re.search(detail, problem[1])
    assert SPACE.architecture(architecture.text) is None
