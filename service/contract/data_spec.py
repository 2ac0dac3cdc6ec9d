"""Where the images of a job are."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.contract.fields import Name
from service.contract.json_types import just
from service.contract.paths import SubmittedDataPath


class DataSpec(BaseModel):
    """A named data set, or below the worker's data root two folders or a pack of both.

    `packed` is the path of a file that `trainyard data pack` has made. `exif_orientation` says
    whether the images of folders and packs are turned as their EXIF data says.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "oneOf": [
                just("dataset", of=("dataset", "train_dir", "val_dir", "packed")),
                just("val_dir", of=("dataset", "val_dir", "packed")),
                just("packed", of=("dataset", "train_dir", "val_dir", "packed")),
            ]
        },
    )

    dataset: Name | None = None
    train_dir: SubmittedDataPath | None = None
    val_dir: SubmittedDataPath | None = None
    # Left out where they have no effect: an older worker refuses a field that it does not know.
    packed: Annotated[SubmittedDataPath | None, Field(exclude_if=lambda packed: packed is None)] = (
        None
    )
    exif_orientation: Annotated[
        Literal["ignore", "apply"], Field(exclude_if=lambda orientation: orientation == "ignore")
    ] = "ignore"

    @model_validator(mode="after")
    def _one_source(self) -> "DataSpec":
        if sum(source is not None for source in (self.dataset, self.val_dir, self.packed)) != 1:
            raise ValueError("name either a dataset, or train_dir and val_dir, or packed")
        if self.val_dir is None and self.train_dir is not None:
            other = "a dataset" if self.packed is None else "packed"
            raise ValueError(f"train_dir does not go with {other}")
        if self.dataset is not None and self.exif_orientation != "ignore":
            raise ValueError("exif_orientation does not go with a dataset")
        return self

    @property
    def forms(self) -> frozenset[str]:
        """What a worker must be able to read, as catalogs have it; empty for what each one can."""
        forms = {"packed": self.packed is not None}
        # An older worker would leave the images as they are, and say nothing.
        forms["exif-oriented"] = self.exif_orientation != "ignore"
        return frozenset(name for name, is_needed in forms.items() if is_needed)
