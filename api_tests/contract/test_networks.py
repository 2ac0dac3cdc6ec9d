from api_tests.facts.published import MODELS
from service.contract.networks import NETWORK_SIZES
from service.contract.recipes import PARAMETERS, PARAMS, VARIANTS


def test_the_sizes_that_recipes_state_are_the_published_ones() -> None:
    stated = {
        f"{recipe} {variant}": tuple(size)
        for recipe, sizes in NETWORK_SIZES.items()
        for variant, size in sizes.items()
    }
    assert stated == {
        name: (facts["params"], facts["params_without_aux_heads"], facts["macs_224"])
        for name, facts in MODELS.items()
    }
    assert {recipe: set(sizes) for recipe, sizes in NETWORK_SIZES.items()} == {
        recipe: set(variants) for recipe, variants in VARIANTS.items()
    }


def test_every_parameter_in_a_schema_has_a_description_and_a_default() -> None:
    for recipe, params in PARAMS.items():
        fields = params.model_json_schema()["properties"]
        assert set(fields) == set(PARAMETERS), recipe
        for name, field in fields.items():
            assert field["description"], (recipe, name)
            assert "default" in field, (recipe, name)
