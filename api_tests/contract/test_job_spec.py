import pytest
from pydantic import ValidationError

from service.contract.specs import JobSpec

TRAIN = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}


def test_every_parameter_left_out_takes_the_published_default() -> None:
    spec = JobSpec.model_validate(TRAIN)
    assert spec.variant == "searched"
    assert spec.recipe_params.total_iters == 300_000
    assert spec.params["weight_decay"] == 4e-5


def test_an_image_size_off_the_grid_names_the_two_beside_it() -> None:
    with pytest.raises(ValidationError, match="use 32 or 64"):
        JobSpec.model_validate(TRAIN | {"params": {"image_size": 33}})


def test_a_parameter_the_recipe_does_not_have_is_refused() -> None:
    with pytest.raises(ValidationError, match="learning_rat"):
        JobSpec.model_validate(TRAIN | {"params": {"learning_rat": 0.1}})


def test_an_eval_without_weights_is_refused() -> None:
    with pytest.raises(ValidationError, match="names its weights"):
        JobSpec.model_validate(TRAIN | {"kind": "eval"})


@pytest.mark.parametrize("folder", ["/etc", "../up", "a/../../b"])
def test_a_data_folder_outside_the_root_is_refused(folder: str) -> None:
    with pytest.raises(ValidationError, match="below the worker's data root"):
        JobSpec.model_validate(TRAIN | {"data": {"train_dir": folder, "val_dir": "val"}})


def test_a_stored_spec_reads_back_equal() -> None:
    spec = JobSpec.model_validate(TRAIN | {"params": {"image_size": 32}})
    assert JobSpec.model_validate_json(spec.model_dump_json()) == spec
