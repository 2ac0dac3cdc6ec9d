"""The data sets that come with every worker."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class DatasetInfo(BaseModel):
    """A data set as `GET /datasets` shows it; the counts are images."""

    model_config = ConfigDict(frozen=True)

    object: Literal["dataset"] = "dataset"
    name: str
    description: str
    num_classes: int
    train_images: int
    val_images: int
    licence: str
    source: str


DATASETS: dict[str, DatasetInfo] = {
    "digits": DatasetInfo(
        name="digits",
        description="Handwritten digits of 8 x 8 pixels, served at any image_size; "
        "every fifth image validates.",
        num_classes=10,
        train_images=1437,
        val_images=360,
        licence="CC BY 4.0",
        source="UCI Optical Recognition of Handwritten Digits, as in scikit-learn's load_digits",
    ),
}
