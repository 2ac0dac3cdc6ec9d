from typing import Any

import pytest
from pydantic import ValidationError

from api_tests.support.specs import complete_spec, submission
from service.contract.specs import EvalSpec, TrainSpec
from service.domain.errors import InvalidFields, Unprocessable

TRAIN: dict[str, Any] = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}


def test_every_parameter_left_out_takes_the_published_default() -> None:
    spec = complete_spec(TRAIN)
    assert spec.variant == "searched"
    assert spec.params["total_iters"] == 300_000
    assert spec.params["weight_decay"] == 4e-5


def test_an_image_size_off_the_grid_names_the_two_beside_it() -> None:
    with pytest.raises(InvalidFields, match="use 32 or 64"):
        complete_spec(TRAIN | {"params": {"image_size": 33}})


def test_a_parameter_the_recipe_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidFields, match="learning_rat"):
        complete_spec(TRAIN | {"params": {"learning_rat": 0.1}})


@pytest.mark.parametrize("variant", [None, "9.0x"])
def test_a_variant_that_is_not_one_of_several_is_answered_with_those_there_are(
    variant: str | None,
) -> None:
    network = {"recipe": "shufflenet_v2", "variant": variant}
    with pytest.raises(Unprocessable, match=r"has the variants 0\.5x, 1\.0x, 1\.5x"):
        complete_spec(TRAIN | network)


def test_an_eval_without_weights_is_refused() -> None:
    with pytest.raises(ValidationError, match="names its weights"):
        submission(TRAIN | {"kind": "eval"})


def test_a_train_with_the_checkpoint_of_an_eval_is_told_its_own_field() -> None:
    with pytest.raises(ValidationError, match="a train has init_from"):
        submission(TRAIN | {"checkpoint": {"id": "ckpt_1"}})


def test_an_eval_with_the_weights_of_a_train_is_told_its_own_field() -> None:
    weights = {"checkpoint": {"id": "ckpt_1"}, "init_from": {"id": "ckpt_1"}}
    with pytest.raises(ValidationError, match="an eval has checkpoint"):
        submission(TRAIN | {"kind": "eval"} | weights)


@pytest.mark.parametrize("folder", ["/etc", "../up", "a/../../b"])
def test_a_data_folder_outside_the_root_is_refused(folder: str) -> None:
    with pytest.raises(ValidationError, match="below the worker's data root"):
        submission(TRAIN | {"data": {"train_dir": folder, "val_dir": "val"}})


def test_the_orientation_of_exif_data_is_an_option_of_folders_alone() -> None:
    folders = {"train_dir": "train", "val_dir": "val", "exif_orientation": "apply"}
    assert submission(TRAIN | {"data": folders}).data.exif_orientation == "apply"
    named = {"dataset": "digits", "exif_orientation": "apply"}
    with pytest.raises(ValidationError, match="exif_orientation does not go with a dataset"):
        submission(TRAIN | {"data": named})


def test_a_stored_spec_reads_back_equal() -> None:
    spec = complete_spec(TRAIN | {"params": {"image_size": 32}})
    assert TrainSpec.model_validate_json(spec.model_dump_json()) == spec


def test_both_kinds_have_the_fields_that_rows_have_always_had() -> None:
    train = submission(TRAIN)
    evaluation = submission(TRAIN | {"kind": "eval", "checkpoint": {"id": "ckpt_1"}})
    assert isinstance(evaluation, EvalSpec)
    assert set(train.model_dump()) == set(evaluation.model_dump())
    assert train.model_dump()["checkpoint"] is None


def test_a_pack_is_named_alone_and_is_left_out_where_there_is_none() -> None:
    packed = submission(TRAIN | {"data": {"packed": "photos.pack"}})
    assert packed.data.model_dump()["packed"] == "photos.pack"
    assert "packed" not in submission(TRAIN).data.model_dump()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"dataset": "digits"}, "name either a dataset, or train_dir and val_dir, or packed"),
        ({"val_dir": "val"}, "name either a dataset, or train_dir and val_dir, or packed"),
        ({"train_dir": "train"}, "train_dir does not go with packed"),
        ({"packed": "../photos.pack"}, "below the worker's data root"),
    ],
)
def test_a_pack_with_other_data_is_refused(other: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        submission(TRAIN | {"data": {"packed": "photos.pack"} | other})
