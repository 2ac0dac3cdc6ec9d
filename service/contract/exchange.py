"""The requests of imports and exports: weights from and for other programs."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.contract.architectures import Variant
from service.contract.class_names import ClassNames
from service.contract.fields import MOST_TAGS, Id, Tag
from service.contract.json_types import WHOLE_NUMBER, Boolean
from service.contract.paths import SubmittedImportPath
from service.contract.text import NAME_LENGTH, Text

Preprocessing = Literal["bgr255", "bgr_normalized", "bgr255_minus_mean"]
ExportFormat = Literal["pth.tar", "safetensors", "onnx", "torch_export"]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImportRequest(_Request):
    """The import of a file below the import root, of torch.save or of safetensors.

    `key` says which weights are taken where the file has several: the keys that lead to them, and
    the prefix of their names, joined by dots. A missing recipe or variant is detected from the
    names and shapes of the tensors. If the file has the optimizer and schedule states of the
    original scripts, training can resume from it (`init_from` with `"state": "full"`).
    `class_names` are those of the classifier's rows, in their order; left out, they are read from
    `<file>.classes.txt`, `<file>.classes.json` or the file itself.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"properties": {"variant": {"type": "null"}}},
                {"required": ["recipe"], "properties": {"recipe": {"type": "string"}}},
            ]
        }
    )

    file: SubmittedImportPath
    # Left out where it is not given: an older worker refuses a field that it does not know.
    key: Annotated[
        Annotated[Text, Field(min_length=1, max_length=NAME_LENGTH)] | None,
        Field(exclude_if=lambda key: key is None),
    ] = None
    recipe: Id | None = None
    variant: Variant | None = None
    preprocessing: Preprocessing | None = None
    mean_image: SubmittedImportPath | None = None
    image_size: Annotated[int, Field(ge=32, le=2048, multiple_of=32), WHOLE_NUMBER] = 224
    class_names: ClassNames | None = None
    tags: Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS)] = ()

    @model_validator(mode="after")
    def _variant_of_recipe(self) -> "ImportRequest":
        if self.variant is not None and self.recipe is None:
            raise ValueError("a variant can only be given together with its recipe")
        return self


class ExportRequest(_Request):
    """The export of a checkpoint as one file for another program.

    `pth.tar` is the format of the family's original `train.py`, with the optimizer state if the
    checkpoint has one; `module_prefix` puts `module.` before each tensor name.
    """

    checkpoint: Id
    format: ExportFormat = "pth.tar"
    module_prefix: Boolean = False
