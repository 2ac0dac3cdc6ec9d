"""What a list of jobs is narrowed to, as the query of `GET /jobs` and bodies have it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from service.contract.fields import Id, Moment, Name
from service.contract.jobs import JobState
from service.contract.specs import KindName
from service.contract.text import Text

PARAMETER = "param."
"""The beginning of the name of a filter by a parameter of the specification."""
PART_LABEL = "part_of"
"""The label of a job that measures for a search; its value is the search."""
_ID_BEGINNING = "job_"
LISTS = ("state", "kind", "label")
"""The filters that take several values."""
MOST_VALUES = 64
_MOST_NAMES = 2 * MOST_VALUES
"""Of parameters and of all other filters."""
_LONGEST_NAME = len(PARAMETER) + 64
_PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LABEL = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}:[^\x00]*$")


class _OneOrMany:
    """A list; one text alone stands for a list of it. An empty one is refused."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._listed, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        many = handler(schema) | {"minItems": 1}
        return {"anyOf": [many, many["items"]]}

    @staticmethod
    def _listed(value: Any) -> Any:
        if value in ([], ()):
            # A caller who has chosen no state would else change the jobs of all states.
            raise ValueError("must have at least 1 item; leave it out if every job is meant")
        return [value] if isinstance(value, str) else value


def _readable_label(value: Any) -> Any:
    if isinstance(value, str) and not _LABEL.match(value):
        raise ValueError("label is key:value, as in label=team:vision")
    return value


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("must be a text in ISO 8601, such as 2026-01-31T12:00:00Z")
    try:
        # A plus sign of a query that is not escaped arrives as a space.
        moment = datetime.fromisoformat(re.sub(r" (?=\d\d:?\d\d$)", "+", value))
    except ValueError:
        message = "must be a moment in ISO 8601, such as 2026-01-31T12:00:00Z or 2026-01-31"
        raise ValueError(message) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _flag(value: Any) -> Any:
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("must be true or false")
    return value == "true" if isinstance(value, str) else value


def _value_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else value


ONE_OR_MANY = _OneOrMany()
# The schema has no default: an empty list is no value of it.
_VALUES: Any = Field(max_length=MOST_VALUES, default_factory=tuple)
LabelText = Annotated[Text, Field(max_length=319), BeforeValidator(_readable_label)]
"""A label as `key:value`."""
Since = Annotated[Moment, BeforeValidator(_moment)]
"""A moment in ISO 8601; one without a zone is in UTC."""
Parts = Annotated[bool, Field(strict=True), BeforeValidator(_flag)]
ParameterValue = Annotated[Text, Field(max_length=255), BeforeValidator(_value_text)]


class JobSelection(BaseModel):
    """Which jobs are meant: those to which everything that is given applies.

    A job has one of the states and kinds, and every label. `q` is a part of its name, its id or a
    label, in upper or lower case. `param.NAME` is a parameter of its specification; numbers are
    compared as numbers. `submitted_by` is the name of a token.

    Jobs that measure for a search are left out, unless `parts` is true or they are named: by the
    label `part_of`, by `name`, or by a `q` that begins with `job_`.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        json_schema_extra={
            "maxProperties": _MOST_NAMES,
            "propertyNames": {"maxLength": _LONGEST_NAME},
        },
    )
    __pydantic_extra__: dict[str, ParameterValue]

    q: Annotated[Text | None, Field(min_length=1, max_length=200)] = None
    name: Name | None = None
    state: Annotated[tuple[JobState, ...], _VALUES, ONE_OR_MANY]
    kind: Annotated[tuple[KindName, ...], _VALUES, ONE_OR_MANY]
    recipe: Id | None = None
    label: Annotated[tuple[LabelText, ...], _VALUES, ONE_OR_MANY]
    created_after: Since | None = None
    submitted_by: Id | None = None
    # Left out where it says nothing: a call that came before has the digest of before.
    parts: Annotated[Parts, Field(exclude_if=lambda parts: not parts)] = False

    @property
    def includes_parts(self) -> bool:
        """Whether jobs that measure for a search are meant, too: they are asked for, or named."""
        is_named = self.name is not None or (self.q or "").startswith(_ID_BEGINNING)
        return self.parts or is_named or any(key == PART_LABEL for key, _ in self.labels)

    @property
    def parameters(self) -> dict[str, str]:
        """By name of a parameter its value, as text."""
        extra: Mapping[str, str] = self.__pydantic_extra__ or {}
        return {name.removeprefix(PARAMETER): value for name, value in extra.items()}

    @property
    def labels(self) -> list[tuple[str, str]]:
        """Each label as (key, value)."""
        return [(key, value) for key, _, value in (each.partition(":") for each in self.label)]

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_names(cls, body: Any) -> Any:
        if not isinstance(body, Mapping):
            return body
        further = [name for name in body if name not in cls.model_fields]
        problems = [
            InitErrorDetails(type=error, loc=(str(name),), input=body[name])
            for name in further
            if (error := _problem_of(str(name))) is not None
        ]
        if len(further) > MOST_VALUES and not problems:
            message = f"at most {MOST_VALUES} parameters narrow a list; {len(further)} were sent"
            error = PydanticCustomError("too_many_parameters", message)
            problems = [InitErrorDetails(type=error, loc=(further[MOST_VALUES],), input=None)]
        if problems:
            raise ValidationError.from_exception_data(cls.__name__, problems)
        return body


def _problem_of(name: str) -> str | PydanticCustomError | None:
    if not name.startswith(PARAMETER):
        return "extra_forbidden"
    if _PARAMETER_NAME.fullmatch(name.removeprefix(PARAMETER)):
        return None
    message = "a parameter is named by letters, digits and _, as in param.learning_rate"
    return PydanticCustomError("parameter_name", message)
