"""Whether every training of a new sweep could be submitted."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from service.contract.errors import FieldProblem
from service.contract.sentences import sentence_of
from service.contract.sweep_specs import NewSweep
from service.control.jobs.submission import complete
from service.control.scheduling import present_catalogs
from service.control.sweeps.space import parameters_of, spec_of
from service.domain.errors import InvalidFields, Unprocessable

_PARAMS = "/params/"


def check(tx: Connection, new: NewSweep) -> None:
    """Raise InvalidFields for the first trial whose training would be refused."""
    with present_catalogs.read_once(tx):
        for number in range(1, new.trial_count + 1):
            _check_trial(tx, new, number)


def _check_trial(tx: Connection, new: NewSweep, number: int) -> None:
    parameters = parameters_of(new, number)
    try:
        complete(tx, spec_of(new, "", number, parameters))
    except ValidationError as error:
        detail = f"{_named(number, parameters)}: {sentence_of(error)}"
        raise InvalidFields([FieldProblem(pointer="/parameters", detail=detail)]) from None
    except Unprocessable as error:
        raise InvalidFields(list(_problems(new, number, parameters, error))) from None


def _problems(
    new: NewSweep, number: int, parameters: Mapping[str, Any], error: Unprocessable
) -> Iterator[FieldProblem]:
    found = error.errors if isinstance(error, InvalidFields) else ()
    for problem in found or (FieldProblem(pointer=error.pointer, detail=error.message),):
        name = problem.pointer.removeprefix(_PARAMS).split("/")[0]
        is_swept = problem.pointer.startswith(_PARAMS) and name in new.parameters
        pointer = f"/parameters/{name}" if is_swept else f"/job{problem.pointer}"
        yield FieldProblem(
            pointer=pointer, detail=f"{_named(number, parameters)}: {problem.detail}"
        )


def _named(number: int, parameters: Mapping[str, Any]) -> str:
    values = ", ".join(f"{name} {value}" for name, value in parameters.items())
    return f"trial {number} ({values[:200]})"
