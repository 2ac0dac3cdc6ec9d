"""From an image to the input of a run: of its recipe or of the series, with its mean image."""

import pkgutil
from pathlib import Path

import torch
from torch import Tensor

from service.contract.checkpoints import Manifest
from workers.attempt_dir import Assignment
from workers.data.augmentation import AugmentOn
from workers.data.errors import InvalidData
from workers.data.images import EncodedImages, ImageDataset, Preprocess
from workers.data.jpeg_decoder import JpegDecoder, nvjpeg
from workers.data.mean_image import MEAN_FILE, read_mean_image
from workers.data.root import data_path
from workers.data.transforms import preprocess_of
from workers.recipes.base import Recipe
from workers.recipes.parameter_rules import SUBTRACTS_MEAN
from workers.recipes.params import RecipeParams


def preprocess_for(recipe: Recipe, params: RecipeParams, mean: Tensor | None) -> Preprocess:
    """What the parameter `preprocessing` names; raises InvalidData for an unknown name."""
    own = recipe.preprocessing.get(params.preprocessing)
    if own is None:
        return preprocess_of(params.preprocessing, mean)
    preprocess: Preprocess = pkgutil.resolve_name(own)
    return preprocess


def augment_on(params: RecipeParams, device: torch.device) -> AugmentOn:
    """Where jitter and flip are done: as the parameter says, or as measured for the device."""
    if params.augment_on == "auto":
        return "device" if device.type == "cuda" else "loader"
    return params.augment_on


def decoder_of(
    params: RecipeParams, images: ImageDataset, device: torch.device
) -> JpegDecoder | None:
    """What decodes the files of training images on the device; None if their loaders do.

    Raises InvalidData if the parameters name the device, and that cannot.
    """
    if params.decode_on == "loader":
        return None
    if device.type != "cuda":
        raise InvalidData(
            "decode_on device needs a GPU, and the job has none: set resources.gpus, or leave "
            "decode_on out"
        )
    if not isinstance(images, EncodedImages) or images.batch_transform is None:
        return None
    return JpegDecoder(images, params.image_size, device, nvjpeg(device))


def mean_to_train_with(assignment: Assignment, params: RecipeParams) -> Tensor | None:
    """The image (3, S, S) that `mean_image` names below the data root; None where none is used.

    Raises InvalidData, NoDataRoot.
    """
    if params.preprocessing != SUBTRACTS_MEAN:
        return None
    if params.mean_image is None:
        raise InvalidData(f"preprocessing {SUBTRACTS_MEAN} needs mean_image, a .xml or .npy file")
    path = data_path(assignment.data_root, params.mean_image)
    return read_mean_image(path, params.image_size)


def mean_to_evaluate_with(
    assignment: Assignment, params: RecipeParams, manifest: Manifest | None
) -> Tensor | None:
    """The mean image in the checkpoint's folder; for a bare file of weights as for a training.

    Raises InvalidData, NoDataRoot.
    """
    source = assignment.claim.weights
    if params.preprocessing != SUBTRACTS_MEAN or manifest is None or source is None:
        return mean_to_train_with(assignment, params)
    return read_mean_image(Path(assignment.volume, source.path, MEAN_FILE), params.image_size)
