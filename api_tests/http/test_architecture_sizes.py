"""How large the network of an architecture is, as `GET /recipes/{name}/size` answers."""

import httpx
import pytest

from api_tests.facts.published import SEARCH
from api_tests.support.problems import pointers_of, problem_of

BLOCKS = "21012020202300003233"
SIZE = "/recipes/oneshot/size"


def test_the_size_of_an_architecture_is_answered_with_its_variant(http: httpx.Client) -> None:
    facts = SEARCH["sizes"]["named"]["readme"]
    answer = http.get(SIZE, params={"blocks": facts["blocks"]})
    assert answer.json() == {
        "object": "architecture_size",
        "recipe": "oneshot",
        "variant": f"b{BLOCKS}",
        "blocks": BLOCKS,
        "channels": "4" * 20,
        "image_size": 224,
        "classes": 1000,
        "parameters": facts["params"],
        "multiply_adds": facts["macs"],
    }
    headers = {"If-None-Match": answer.headers["etag"]}
    assert http.get(SIZE, params={"blocks": BLOCKS}, headers=headers).status_code == 304


def test_the_size_is_of_the_widths_the_image_and_the_classes_that_are_asked_for(
    http: httpx.Client,
) -> None:
    facts = SEARCH["sizes"]["named"]["oneshot_searched"]
    query = {"blocks": facts["blocks"], "channels": facts["scale_ids"]}
    searched = http.get(SIZE, params=query).json()
    assert (searched["variant"], searched["multiply_adds"]) == ("searched", facts["macs"])
    small = http.get(SIZE, params={"blocks": "0" * 20, "image_size": 32, "classes": 10}).json()
    facts = SEARCH["sizes"]["at_32_pixels_10_classes"]
    places = sum(macs[0] for macs in facts["macs"])
    assert small["multiply_adds"] == facts["stem_macs"] + facts["tail_macs"] + places


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({}, "/query/blocks"),
        ({"blocks": "0" * 19}, "/blocks"),
        ({"blocks": "0" * 19 + "4"}, "/blocks"),
        ({"blocks": "x"}, "/query/blocks"),
        ({"blocks": BLOCKS, "channels": "4"}, "/channels"),
        ({"blocks": BLOCKS, "channels": "8" * 20}, "/channels"),
        ({"blocks": BLOCKS, "image_size": "225"}, "/query/image_size"),
        ({"blocks": BLOCKS, "classes": "0"}, "/query/classes"),
        ({"blocks": BLOCKS, "width": "4"}, "/width"),
    ],
)
def test_what_has_no_size_is_refused_at_its_parameter(
    http: httpx.Client, query: dict[str, str], pointer: str
) -> None:
    answer = http.get(SIZE, params=query)
    assert answer.status_code == 422
    assert pointers_of(answer.json()) == [pointer]


@pytest.mark.parametrize(
    ("recipe", "query", "variant", "multiply_adds"),
    [
        ("detnas", {"blocks": "21202112331300313132"}, "COCO_FPN_300M", 321_219_008),
        ("detnas", {"blocks": "0123" * 10}, f"b{'0123' * 10}", None),
        ("detnas", {"blocks": "0" * 20, "space": "300M.path"}, f"300M.path-b{'0' * 20}", None),
        (
            "shufflenet_v2_plus",
            {"blocks": "00311100202110202132", "space": "large"},
            "large",
            360_050_704,
        ),
    ],
)
def test_the_size_in_one_of_several_spaces_is_answered(
    http: httpx.Client, recipe: str, query: dict[str, str], variant: str, multiply_adds: int | None
) -> None:
    found = http.get(f"/recipes/{recipe}/size", params=query).json()
    assert (found["variant"], found["blocks"]) == (variant, query["blocks"])
    assert found["channels"] is None
    assert multiply_adds in (None, found["multiply_adds"])


@pytest.mark.parametrize(
    ("recipe", "query", "pointer"),
    [
        ("detnas", {"blocks": "0" * 21}, "/blocks"),
        ("detnas", {"blocks": "0" * 20, "space": "1.3G"}, "/blocks"),
        ("detnas", {"blocks": "0" * 20, "space": "none"}, "/space"),
        ("detnas", {"blocks": "0" * 20, "channels": "3" * 20}, "/channels"),
        ("shufflenet_v2_plus", {"blocks": "0" * 20}, "/space"),
        ("oneshot", {"blocks": "0" * 20, "space": "small"}, "/space"),
        ("oneshot", {"blocks": "0" * 20, "space": "a b"}, "/query/space"),
    ],
)
def test_what_is_in_none_of_several_spaces_is_refused_at_its_parameter(
    http: httpx.Client, recipe: str, query: dict[str, str], pointer: str
) -> None:
    answer = http.get(f"/recipes/{recipe}/size", params=query)
    assert answer.status_code == 422
    assert pointers_of(answer.json()) == [pointer]


def test_a_recipe_without_a_space_has_no_architectures(http: httpx.Client) -> None:
    answer = http.get("/recipes/shufflenet_v2/size", params={"blocks": BLOCKS})
    assert "named variants only" in problem_of(answer, 404, "no_search_space")["detail"]
    answer = http.get("/recipes/resnet/size", params={"blocks": BLOCKS})
    problem_of(answer, 404, "no_such_recipe")


def test_each_recipe_is_listed_with_its_spaces(http: httpx.Client) -> None:
    recipes = {each["name"]: each for each in http.get("/recipes").json()["data"]}
    space = recipes["oneshot"]["search_space"]
    assert space["stages"] == [[64, 4], [160, 4], [320, 8], [640, 4]]
    assert recipes["shufflenet_v2"]["search_space"] is None
    several = [space["name"] for space in recipes["detnas"]["search_spaces"]]
    assert several == ["300M", "1.3G", "300M.path", "1.3G.path"]
    assert recipes["detnas_supernet_1.3G"]["path_space"] == "1.3G.path"
