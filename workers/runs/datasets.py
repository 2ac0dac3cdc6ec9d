"""The images of a run, from its spec and parameters."""

from collections import Counter

from torch import Tensor

from service.contract.specs import DataSpec
from workers.data.errors import InvalidData
from workers.data.images import ImageDataset, Split, SplitRequest
from workers.data.sources import open_split
from workers.recipes.params import RecipeParams
from workers.training.preprocessing import preprocess_for
from workers.training.run_context import RunContext


def images_of(
    context: RunContext,
    data: DataSpec,
    split: Split,
    params: RecipeParams,
    mean: Tensor | None,
    summaries: list[str],
) -> ImageDataset:
    """One split of the run's data, with class names that are unique.

    `summaries` gets a sentence with its numbers of images and classes, and what was passed over.
    Raises InvalidData, NoDataRoot.
    """
    remarks: list[str] = []
    request = SplitRequest(
        split=split,
        image_size=params.image_size,
        seed=params.seed,
        preprocess=preprocess_for(context.recipe, params, mean),
        data_root=context.assignment.data_root,
        remark=remarks.append,
    )
    images = open_split(data, request)
    twice = [name for name, count in Counter(images.class_names).items() if count > 1]
    if twice:
        raise InvalidData(f"the data has more than one class {twice[0]!r}; class names are unique")
    numbers = f"{split}: {len(images)} images of {len(images.class_names)} classes"
    summaries.append(", ".join([numbers, *remarks]))
    return images


def check_class_count(params: RecipeParams, images: ImageDataset) -> None:
    """Raise InvalidData if the parameter `num_classes` is not that of the data."""
    count = len(images.class_names)
    if params.num_classes not in (None, count):
        raise InvalidData(
            f"num_classes is {params.num_classes}, the data has {count}; leave num_classes out"
        )
