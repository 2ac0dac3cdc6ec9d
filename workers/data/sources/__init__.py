"""The data sets of this worker: the built-in ones, and those of installed packages."""

import pkgutil
from collections.abc import Mapping
from functools import cache

from service.contract.catalog import DatasetInfo
from service.contract.data_spec import DataSpec
from workers.data.errors import InvalidData
from workers.data.images import ImageDataset, SplitRequest
from workers.data.sources.base import DataSource
from workers.plugins import Plugin, check_name, check_reference, with_plugins

ENTRY_POINTS = "trainyard.datasets"
DIGITS = DataSource(
    info=DatasetInfo(
        name="digits",
        description="Handwritten digits of 8 x 8 pixels, served at any image_size; "
        "every fifth image validates.",
        num_classes=10,
        train_images=1437,
        val_images=360,
        licence="CC BY 4.0",
        source="UCI Optical Recognition of Handwritten Digits, as in scikit-learn's load_digits",
    ),
    open_split="workers.data.sources.digits:Digits",
)
BUILTIN = (DIGITS,)
DATA_FORMS = ("packed", "exif-oriented")
"""What `open_split` reads beside named data sets and plain folders, as the catalog says it."""

_FOLDERS = "workers.data.sources.folders:ImageFolder"
_PACK = "workers.data.packs.source:PackedImages"
BUILTIN_READERS = (*(source.open_split for source in BUILTIN), _FOLDERS, _PACK)
"""`module:class` of what reads the built-in data sets, folders and packs."""


@cache
def sources() -> Mapping[str, DataSource]:
    """All named data sets, the built-in ones first."""
    builtin = {source.info.name: source for source in BUILTIN}
    return with_plugins(builtin, ENTRY_POINTS, _source)


def open_split(data: DataSpec, request: SplitRequest) -> ImageDataset:
    """One split of the named data set, or of the folders or the pack below the data root.

    Raises InvalidData, NoDataRoot.
    """
    turns = data.exif_orientation == "apply"
    if data.packed is not None:
        packed: ImageDataset = pkgutil.resolve_name(_PACK)(
            data.packed, request, exif_orientation=turns
        )
        return packed
    if data.dataset is None:
        folder = data.train_dir if request.split == "train" else data.val_dir
        images: ImageDataset = pkgutil.resolve_name(_FOLDERS)(
            folder, request, exif_orientation=turns
        )
        return images
    if data.dataset not in sources():
        known = ", ".join(sources())
        raise InvalidData(f"there is no data set {data.dataset!r}; the data sets are {known}")
    return sources()[data.dataset].open(request)


def _source(plugin: Plugin) -> tuple[str, DataSource]:
    content = plugin.content
    if not isinstance(content, DataSource):
        raise ValueError(f"it is a {type(content).__name__}, not a DataSource")
    check_name(content.info.name)
    check_reference(content.open_split)
    return content.info.name, content
