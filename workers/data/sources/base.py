"""The definition of a data source. Imports no torch."""

import pkgutil
from dataclasses import dataclass

from service.contract.catalog import DatasetInfo
from workers.data.images import ImageDataset, SplitRequest


@dataclass(frozen=True)
class DataSource:
    """A named data set; `open_split` is `module:function`, `(SplitRequest) -> ImageDataset`.

    The function raises InvalidData for data that cannot be used, and NoDataRoot if this worker
    cannot read its data root. The images must have the same order on every worker.
    """

    info: DatasetInfo
    open_split: str

    def open(self, request: SplitRequest) -> ImageDataset:
        """Open the images of a split; raises InvalidData, NoDataRoot."""
        images: ImageDataset = pkgutil.resolve_name(self.open_split)(request)
        return images
