"""What a data source is. No torch."""

import pkgutil
from dataclasses import dataclass

from service.contract.catalog import DatasetInfo
from workers.data.images import ImageDataset, SplitRequest


@dataclass(frozen=True)
class DataSource:
    """A named data set; `open_split` is `module:function`, `(SplitRequest) -> ImageDataset`.

    The function raises InvalidData for data that no retry heals, NoDataRoot where this worker lacks
    it. The images come in the same order on every worker.
    """

    info: DatasetInfo
    open_split: str

    def open(self, request: SplitRequest) -> ImageDataset:
        """The images of a split; raises InvalidData, NoDataRoot."""
        images: ImageDataset = pkgutil.resolve_name(self.open_split)(request)
        return images
