"""The mean image of a run: of the data root in training, of the checkpoint in an eval."""

from pathlib import Path

from torch import Tensor

from service.contract.checkpoints import Manifest
from service.contract.recipes import RecipeParams
from workers.attempt_dir import Assignment
from workers.data.errors import InvalidData
from workers.data.mean_image import MEAN_FILE, read_mean_image
from workers.data.root import data_path

_SUBTRACTED = "bgr255_minus_mean"


def mean_to_train_with(assignment: Assignment, params: RecipeParams) -> Tensor | None:
    """The image (3, S, S) that `mean_image` names below the data root; None where none is used.

    Raises InvalidData, NoDataRoot.
    """
    if params.preprocessing != _SUBTRACTED:
        return None
    if params.mean_image is None:
        raise InvalidData(f"preprocessing {_SUBTRACTED} needs mean_image, a .xml or .npy file")
    path = data_path(assignment.data_root, params.mean_image)
    return read_mean_image(path, params.image_size)


def mean_to_evaluate_with(
    assignment: Assignment, params: RecipeParams, manifest: Manifest | None
) -> Tensor | None:
    """The one in the checkpoint's folder, or for a bare file of weights as for a training.

    Raises InvalidData, NoDataRoot.
    """
    source = assignment.claim.weights
    if params.preprocessing != _SUBTRACTED or manifest is None or source is None:
        return mean_to_train_with(assignment, params)
    return read_mean_image(Path(assignment.volume, source.path, MEAN_FILE), params.image_size)
