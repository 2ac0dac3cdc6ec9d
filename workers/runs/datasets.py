"""The images of a run, from its spec and parameters."""

from collections import Counter
from dataclasses import dataclass, replace

from torch import Tensor

from service.contract.counts import count_text
from service.contract.data_spec import DataSpec
from service.contract.split_counts import SplitCounts
from workers.data.errors import InvalidData
from workers.data.fingerprint import SplitFingerprint, fingerprint_of
from workers.data.holdout import held_out, images_held_out, images_trained_on, trained_on
from workers.data.images import ImageDataset, Split, SplitRequest
from workers.data.sources import open_split
from workers.recipes.params import RecipeParams
from workers.training.distributed import Ranks
from workers.training.preprocessing import preprocess_for
from workers.training.run_context import RunContext

_DIGITS = 16


@dataclass(frozen=True)
class RunSplit:
    """One split of a run's data.

    `images` and their `fingerprint` are without what is held out, and `counts` are with it.
    `sentence` has the numbers, what was passed over, and the first digits of the fingerprint.
    """

    images: ImageDataset
    fingerprint: SplitFingerprint
    counts: SplitCounts
    sentence: str


def open_run_split(
    context: RunContext, data: DataSpec, split: Split, params: RecipeParams, mean: Tensor | None
) -> RunSplit:
    """One split of the run's data, with class names that are unique.

    The training images are without those that are held out for a search of the network.
    Ranks exchange nothing here, and call `require_same_images` afterwards. Raises InvalidData,
    NoDataRoot.
    """
    remarks: list[str] = []
    request = replace(_request(context, split, params, mean), remark=remarks.append)
    images = _opened(data, request)
    counts = SplitCounts(name=split, images=len(images), classes=len(images.class_names))
    every = context.recipe.holdout_every(params) if split == "train" else 0
    fingerprint = fingerprint_of(images, trained_on(len(images), every))
    classes = count_text(len(images.class_names), "class", "classes")
    numbers = f"{split}: {count_text(fingerprint.images, 'image')} of {classes}"
    digest = f"sha256 {fingerprint.sha256[:_DIGITS]}"
    sentence = ", ".join([numbers, *remarks, digest])
    if every:
        sentence += f"; {counts.images - fingerprint.images} held out for a search"
    return RunSplit(images_trained_on(images, every), fingerprint, counts, sentence)


def open_held_out(
    context: RunContext, data: DataSpec, params: RecipeParams, mean: Tensor | None, every: int
) -> RunSplit:
    """The training images that are held out, seen as those of a validation are.

    Raises InvalidData, NoDataRoot.
    """
    images = _opened(data, replace(_request(context, "train", params, mean), augments=False))
    indices = held_out(len(images), every)
    if not indices:
        raise InvalidData(
            f"holdout_every {every} holds out none of {count_text(len(images), 'image')}: use 0, "
            "for the validation split, or train a supernet with a smaller one"
        )
    fingerprint = fingerprint_of(images, indices)
    counts = SplitCounts(name="train", images=len(images), classes=len(images.class_names))
    sentence = f"{count_text(len(indices), 'image')} of train held out for the search"
    return RunSplit(images_held_out(images, every), fingerprint, counts, sentence)


def _request(
    context: RunContext, split: Split, params: RecipeParams, mean: Tensor | None
) -> SplitRequest:
    return SplitRequest(
        split=split,
        image_size=params.image_size,
        seed=params.seed,
        preprocess=preprocess_for(context.recipe, params, mean),
        data_root=context.assignment.data_root,
    )


def _opened(data: DataSpec, request: SplitRequest) -> ImageDataset:
    images = open_split(data, request)
    twice = [name for name, count in Counter(images.class_names).items() if count > 1]
    if twice:
        raise InvalidData(f"the data has more than one class {twice[0]!r}; class names are unique")
    return images


def require_same_images(ranks: Ranks, split: RunSplit) -> None:
    """Raise InvalidData, with the numbers, if the ranks have opened other images than rank 0."""
    own = split.fingerprint
    seen = ranks.gathered((own.sha256, own.images, own.size_bytes))
    for rank, other in enumerate(seen):
        if other != seen[0]:
            raise InvalidData(
                f"rank {rank} has other {split.counts.name} images than rank 0: "
                f"{other[1]} of {other[2]} bytes, not {seen[0][1]} of {seen[0][2]}; "
                "give every rank the same data"
            )


def check_class_count(params: RecipeParams, images: ImageDataset) -> None:
    """Raise InvalidData if the parameter `num_classes` is not that of the data."""
    count = len(images.class_names)
    if params.num_classes not in (None, count):
        raise InvalidData(
            f"num_classes is {params.num_classes}, the data has {count}; leave num_classes out"
        )
