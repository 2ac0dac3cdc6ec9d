"""What a job is to do: a train or an eval as a user submits it, an import or an export."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from service.contract.architectures import FoundArchitecture, NamedVariant, Variant
from service.contract.catalog import builtin_catalog
from service.contract.checkpoint_ref import CheckpointRef as CheckpointRef
from service.contract.data_spec import DataSpec
from service.contract.exchange import ExportRequest, ImportRequest
from service.contract.fields import Id, Labels, Name
from service.contract.json_types import WHOLE_NUMBER, Boolean
from service.contract.json_values import JsonWithin
from service.contract.resources import Resources
from service.contract.search_params import SearchParams

PARAMETERS_BYTES = 64 * 1024


class _Edge(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Parameters = Annotated[dict[str, Any], JsonWithin(PARAMETERS_BYTES)]


class Retention(_Edge):
    """Which checkpoints stay: the newest, and the best by a metric."""

    keep_last: Annotated[int, Field(ge=2, le=1000), WHOLE_NUMBER] = 3
    keep_best: Annotated[int, Field(ge=0, le=1000), WHOLE_NUMBER] = 1
    metric: Literal["top1_error", "top5_error", "loss"] = "top1_error"


Priority = Annotated[int, Field(ge=-1000, le=1000), WHOLE_NUMBER]
Preemptible = Annotated[Boolean, Field(exclude_if=lambda preemptible: not preemptible)]
"""Whether a running job saves and goes back to the queue for one of a higher priority.

Left out where it is not: a worker of an older version takes no field that it does not know.
"""


class _Submission(_Edge):
    name: Name | None = None
    labels: Labels = Field(default_factory=dict)
    resources: Resources = Resources()
    priority: Priority = 0
    preemptible: Preemptible = False
    max_failures: Annotated[int, Field(ge=0, le=100), WHOLE_NUMBER] = 2


def _recipe_name(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    names = ", ".join(recipe.name for recipe in builtin_catalog().recipes)
    raise ValueError(f"a recipe is named by a text, such as {names}")


class NetworkSpec(_Submission):
    """What a train and an eval have in common: a network and its data.

    As stored, `recipe` and `variant` are there and `params` holds every value, defaults filled in;
    a user may leave out what has a default, and the network where a checkpoint determines it.
    `search` is the search that has found the variant; without a variant its best path is meant, as
    by `"variant": {"search": "job_…"}`.
    """

    recipe: Annotated[Id | None, BeforeValidator(_recipe_name)] = None
    variant: NamedVariant | None = None
    # Left out where there is none: an older worker refuses a field that it does not know.
    search: Annotated[Id | None, Field(exclude_if=lambda search: search is None)] = None
    data: DataSpec
    params: Parameters = Field(default_factory=dict)
    retention: Retention = Retention()

    @model_validator(mode="before")
    @classmethod
    def _of_search(cls, body: Any) -> Any:
        variant = body.get("variant") if isinstance(body, Mapping) else None
        if not isinstance(variant, Mapping) or "search" not in variant:
            return body
        if body.get("search") is not None:
            raise ValueError("name the search once: in search, or in variant")
        try:
            found = FoundArchitecture.model_validate(variant)
        except ValidationError:
            # Refused at its own field.
            return body
        return {**body, "variant": None, "search": found.search}

    @property
    def network(self) -> tuple[str, str]:
        """Recipe and variant of a stored spec."""
        assert self.recipe is not None, "the spec was stored without its recipe"
        assert self.variant is not None, "the spec was stored without its variant"
        return self.recipe, self.variant


class TrainSpec(NetworkSpec):
    """A training, from fresh weights or from a checkpoint's."""

    model_config = ConfigDict(
        json_schema_extra={
            "required": ["kind", "data"],
            "anyOf": [
                {
                    "properties": {
                        "data": {"required": [name], "properties": {name: {"type": "string"}}}
                    }
                }
                for name in ("dataset", "train_dir", "packed")
            ],
        }
    )

    kind: Literal["train"] = "train"
    init_from: CheckpointRef | None = None
    checkpoint: None = None

    @model_validator(mode="before")
    @classmethod
    def _no_checkpoint(cls, body: Any) -> Any:
        return _without(body, "checkpoint", "checkpoint is for an eval; a train has init_from")

    @model_validator(mode="after")
    def _has_images_to_train_on(self) -> Self:
        if self.data.val_dir is not None and self.data.train_dir is None:
            raise ValueError("a train needs data.train_dir beside val_dir")
        return self


class EvalSpec(NetworkSpec):
    """The evaluation of a checkpoint on validation data."""

    model_config = ConfigDict(json_schema_extra={"required": ["kind", "data", "checkpoint"]})

    kind: Literal["eval"] = "eval"
    init_from: None = None
    checkpoint: CheckpointRef

    @model_validator(mode="before")
    @classmethod
    def _names_its_weights(cls, body: Any) -> Any:
        if isinstance(body, Mapping) and body.get("checkpoint") is None:
            raise ValueError("an eval names its weights in checkpoint")
        return _without(body, "init_from", "init_from is for a train; an eval has checkpoint")


def _without(body: Any, name: str, message: str) -> Any:
    if isinstance(body, Mapping) and body.get(name) is not None:
        raise ValueError(message)
    return body


class CheckDataSpec(_Submission):
    """The check of a data set: every image is read, and one report says what would end a job.

    With a `batch_size`, too few images for a batch are a problem, too.
    """

    model_config = ConfigDict(json_schema_extra={"required": ["kind", "data"]})

    kind: Literal["check_data"] = "check_data"
    data: DataSpec
    batch_size: Annotated[int | None, Field(ge=1, le=2**20), WHOLE_NUMBER] = None

    @model_validator(mode="after")
    def _runs_in_one_process(self) -> "CheckDataSpec":
        if self.resources.hosts > 1 or self.resources.ranks > 1:
            raise ValueError("data are checked by one process: leave out resources.hosts and ranks")
        if self.resources.gpu_range is not None:
            raise ValueError("data are checked by one process: give resources.gpus as one number")
        return self


class SearchSpec(_Submission):
    """The search of a supernet for its best path, on the data that it was trained with.

    As stored, `recipe` and `variant` are the supernet's, and `training` has the parameters that it
    was trained with; `training` is empty where they are not known, and is not for users to set.
    """

    model_config = ConfigDict(json_schema_extra={"required": ["kind", "data", "checkpoint"]})

    kind: Literal["search"] = "search"
    checkpoint: CheckpointRef
    data: DataSpec
    params: SearchParams = SearchParams()
    recipe: Annotated[Id | None, BeforeValidator(_recipe_name)] = None
    variant: Variant | None = None
    training: Parameters = Field(default_factory=dict)


class ImportSpec(_Submission):
    """The import of a file, as a worker is given it."""

    kind: Literal["import"] = "import"
    request: ImportRequest


class ExportSpec(_Submission):
    """The export of a checkpoint, as a worker is given it.

    `params` are those of the training that made it; they are empty for imported weights.
    """

    kind: Literal["export"] = "export"
    request: ExportRequest
    recipe: Id
    params: Parameters = Field(default_factory=dict)


KindName = Literal["train", "eval", "check_data", "import", "export", "search"]
SubmittedSpec = TrainSpec | EvalSpec | CheckDataSpec | SearchSpec
"""The kinds that users submit by `POST /jobs`; the others have routes of their own."""

AnySpec = Annotated[SubmittedSpec | ImportSpec | ExportSpec, Field(discriminator="kind")]
