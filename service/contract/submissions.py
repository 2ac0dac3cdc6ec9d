"""The body of `POST /jobs`."""

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import Field, RootModel, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from service.contract.specs import SubmittedSpec


class Submission(RootModel[SubmittedSpec]):
    """The body of `POST /jobs`."""

    root: Annotated[SubmittedSpec, Field(discriminator="kind")]

    @model_validator(mode="before")
    @classmethod
    def _by_kind(cls, body: Any) -> Any:
        # Validated by one model alone: so an error names the field as the user wrote it.
        if not isinstance(body, Mapping):
            return body
        if "kind" not in body:
            raise _wrong_kind("missing", body)
        model = _SUBMITTED.get(str(body["kind"]))
        if model is None:
            expected = " or ".join(repr(name) for name in _SUBMITTED)
            raise _wrong_kind("literal_error", body["kind"], expected=expected)
        return model.model_validate(body)


_SUBMITTED: dict[str, type[SubmittedSpec]] = {
    spec.model_fields["kind"].default: spec for spec in get_args(SubmittedSpec)
}


def _wrong_kind(error: str, value: Any, **context: str) -> ValidationError:
    details = InitErrorDetails(type=error, loc=("kind",), input=value, ctx=context)
    return ValidationError.from_exception_data("Submission", [details])
