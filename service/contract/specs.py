"""What a job is to do: a train or an eval as a user submits it, an import or an export."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from service.contract.exchange import ExportRequest, ImportRequest
from service.contract.fields import Id, LabelKey, LabelValue, Text
from service.contract.paths import DataPath, ImportPath
from service.contract.recipes import PARAMS, VARIANTS, RecipeName, RecipeParams


class _Edge(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Name = Annotated[Text, Field(min_length=1, max_length=200)]


class DataSpec(_Edge):
    """A named data set, or two folders below the worker's data root."""

    dataset: Name | None = None
    train_dir: DataPath | None = None
    val_dir: DataPath | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "DataSpec":
        if (self.dataset is None) == (self.val_dir is None):
            raise ValueError("name either a dataset, or train_dir and val_dir")
        if self.dataset is not None and self.train_dir is not None:
            raise ValueError("train_dir does not go with a dataset")
        return self


class CheckpointRef(_Edge):
    """The weights an eval or a training starts from; one of `id`, `job`, `file`."""

    id: Id | None = None
    job: Id | None = None
    which: Literal["latest", "best"] = "latest"
    file: ImportPath | None = None
    state: Literal["weights", "full"] = "weights"
    head: Literal["keep", "replace"] = "keep"

    @model_validator(mode="after")
    def _one_origin(self) -> "CheckpointRef":
        if sum(origin is not None for origin in (self.id, self.job, self.file)) != 1:
            raise ValueError("name exactly one of id, job, file")
        return self


class Retention(_Edge):
    """Which checkpoints stay: the newest, and the best by a metric."""

    keep_last: Annotated[int, Field(ge=2, le=1000)] = 3
    keep_best: Annotated[int, Field(ge=0, le=1000)] = 1
    metric: Literal["top1_error", "top5_error", "loss"] = "top1_error"


class Resources(_Edge):
    """What a worker must have free."""

    gpus: Annotated[int, Field(ge=0, le=1024)] = 0
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)


JobLabels = Annotated[dict[LabelKey, LabelValue], Field(max_length=64)]
Priority = Annotated[int, Field(ge=-1000, le=1000)]


class _Submission(_Edge):
    name: Name | None = None
    labels: JobLabels = Field(default_factory=dict)
    resources: Resources = Resources()
    priority: Priority = 0
    max_failures: Annotated[int, Field(ge=0, le=100)] = 2


class JobSpec(_Submission):
    """A submission; `params` holds every value after validation, defaults filled in."""

    kind: Literal["train", "eval"]
    recipe: RecipeName
    variant: Id | None = None
    data: DataSpec
    params: dict[str, Any] = Field(default_factory=dict)
    retention: Retention = Retention()
    init_from: CheckpointRef | None = None
    checkpoint: CheckpointRef | None = None

    @model_validator(mode="before")
    @classmethod
    def _published_defaults(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        recipe = body.get("recipe")
        if not isinstance(recipe, str) or recipe not in PARAMS:
            return body
        known = VARIANTS[recipe]
        variant = body.get("variant")
        if variant is None and len(known) == 1:
            variant = known[0]
        if variant not in known:
            raise ValueError(f"recipe {recipe} has the variants {', '.join(known)}")
        return body | {"variant": variant}

    @model_validator(mode="after")
    def _kind_fits(self) -> "JobSpec":
        if self.kind == "eval" and self.checkpoint is None:
            raise ValueError("an eval names its weights in checkpoint")
        if self.kind == "eval" and self.init_from is not None:
            raise ValueError("init_from is for a train; an eval has checkpoint")
        if self.kind == "train" and self.checkpoint is not None:
            raise ValueError("checkpoint is for an eval; a train has init_from")
        if self.kind == "train" and self.data.dataset is None and self.data.train_dir is None:
            raise ValueError("a train needs data.train_dir beside val_dir")
        params = _recipe_params(self.recipe, self.params)
        object.__setattr__(self, "params", params.model_dump())
        return self

    @property
    def recipe_params(self) -> RecipeParams:
        """The parameters as the recipe's own model."""
        return PARAMS[self.recipe].model_validate(self.params)


def _recipe_params(recipe: str, params: dict[str, Any]) -> RecipeParams:
    try:
        return PARAMS[recipe].model_validate(params)
    except ValidationError as error:
        # Raised again with the place where the user wrote it.
        raise ValidationError.from_exception_data(
            "JobSpec",
            [
                InitErrorDetails(
                    type=found["type"],
                    loc=("params", *found["loc"]),
                    input=found["input"],
                    ctx=found.get("ctx", {}),
                )
                for found in error.errors()
            ],
        ) from None


class ImportSpec(_Submission):
    """The import of a file, as a worker is given it."""

    kind: Literal["import"] = "import"
    request: ImportRequest


class ExportSpec(_Submission):
    """The export of a checkpoint, as a worker is given it.

    `params` are those of the training that made it, or the recipe's for imported weights.
    """

    kind: Literal["export"] = "export"
    request: ExportRequest
    recipe: RecipeName
    params: dict[str, Any] = Field(default_factory=dict)

    @property
    def recipe_params(self) -> RecipeParams:
        """The parameters as the recipe's own model."""
        return PARAMS[self.recipe].model_validate(self.params)


AnySpec = Annotated[JobSpec | ImportSpec | ExportSpec, Field(discriminator="kind")]
