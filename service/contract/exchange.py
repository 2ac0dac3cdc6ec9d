"""Weights of other programs: what an import and an export are asked with."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.contract.fields import Id, Tag, Text
from service.contract.paths import ImportPath

Preprocessing = Literal["bgr255", "bgr_normalized", "bgr255_minus_mean"]
ExportFormat = Literal["pth.tar", "safetensors", "onnx", "torch_export"]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImportRequest(_Request):
    """A file of published weights below the import root: `.pth.tar`, `.pth`, `.pkl` or
    `.safetensors`.

    Recipe and variant are found from the names and shapes when they are not given; a file that
    holds optimizer and schedule as the original scripts save them can be trained on
    (`init_from` with `"state": "full"`).
    """

    file: ImportPath
    recipe: Id | None = None
    variant: Text | None = None
    preprocessing: Preprocessing | None = None
    mean_image: ImportPath | None = None
    image_size: Annotated[int, Field(ge=32, le=2048, multiple_of=32)] = 224
    class_names: tuple[Text, ...] | None = None
    tags: tuple[Tag, ...] = ()

    @model_validator(mode="after")
    def _variant_of_recipe(self) -> "ImportRequest":
        if self.variant is not None and self.recipe is None:
            raise ValueError("a variant needs its recipe beside it")
        return self


class ExportRequest(_Request):
    """A checkpoint as one file for another program.

    `pth.tar` is what the original `train.py` of the family takes, with `module.` before each name
    if asked for; the optimizer goes along where the checkpoint has one.
    """

    checkpoint: Id
    format: ExportFormat = "pth.tar"
    module_prefix: bool = False
