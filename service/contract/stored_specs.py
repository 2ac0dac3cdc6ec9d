"""The specification of a job in its row, which may be of another version."""

import json
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_serializer,
)

from service.contract.fields import LabelTexts
from service.contract.reading import json_with_unknown_fields, with_unknown_fields
from service.contract.resources import Resources
from service.contract.sentences import sentence_of
from service.contract.specs import AnySpec, ExportSpec, NetworkSpec, SearchSpec
from service.contract.text import Message, ShortText


class UnreadableSpec(BaseModel):
    """A specification that this version cannot read: `stored` as in its row, and the `problem`.

    The job is not retried.
    """

    model_config = ConfigDict(frozen=True)

    stored: Any
    problem: Message
    kind: ShortText = ""
    name: ShortText | None = None
    labels: LabelTexts = Field(default_factory=dict)
    resources: Resources = Resources()
    priority: int = 0
    preemptible: bool = False
    max_failures: int = 0

    @model_serializer
    def _as_stored(self) -> Annotated[Any, Field(description="As another version wrote it.")]:
        return self.stored


_READABLE: TypeAdapter[AnySpec] = TypeAdapter(AnySpec)


def _readable_or_as_stored(body: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(body, BaseModel):
        return handler(body)
    try:
        return _READABLE.validate_python(body, extra="allow")
    except ValidationError as error:
        return UnreadableSpec(
            stored=body, problem=f"this version cannot read its spec: {sentence_of(error)}"
        )


StoredSpec = Annotated[AnySpec | UnreadableSpec, WrapValidator(_readable_or_as_stored)]
"""Any specification; one that cannot be read becomes an UnreadableSpec."""


def stored_parameters(spec: AnySpec | UnreadableSpec) -> dict[str, Any]:
    """The parameters of a specification's recipe; none where it has no object of them."""
    if isinstance(spec, SearchSpec):
        return spec.training
    if not isinstance(spec, UnreadableSpec):
        return spec.params if isinstance(spec, NetworkSpec | ExportSpec) else {}
    stored = spec.stored if isinstance(spec.stored, dict) else {}
    params = stored.get(recipe_parameters(str(stored.get("kind"))))
    return params if isinstance(params, dict) else {}


def recipe_parameters(kind: str) -> str:
    """The field of a kind's specification that has the parameters of its recipe."""
    return "training" if kind == "search" else "params"


def spec_as_stored(spec: BaseModel) -> Any:
    """A specification as in its row, with the fields that this version does not know."""
    return spec.stored if isinstance(spec, UnreadableSpec) else with_unknown_fields(spec)


def spec_as_json(spec: BaseModel) -> str:
    """The JSON text of a specification as in its row."""
    if isinstance(spec, UnreadableSpec):
        return json.dumps(spec.stored, allow_nan=False)
    return json_with_unknown_fields(spec)
