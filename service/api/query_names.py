"""A query parameter that a route does not have is refused by its name."""

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from service.contract.errors import FieldProblem
from service.contract.nearest import unknown_name
from service.domain.errors import InvalidFields


def refuse_unknown_queries(request: Request) -> None:
    """Raise InvalidFields for parameters that the matched route does not declare."""
    route = request.scope["route"]
    assert isinstance(route, APIRoute)
    known = _declared(route.dependant)
    unknown = sorted({name for name in request.query_params if name not in known})
    if unknown:
        raise InvalidFields([_problem(name, known) for name in unknown])


KnownQueries = Depends(refuse_unknown_queries)
"""For every router whose callers are people: an agent may be newer than the server."""


def _declared(dependant: Dependant) -> set[str]:
    names = {parameter.alias for parameter in dependant.query_params}
    return names.union(*(_declared(each) for each in dependant.dependencies))


def _problem(name: str, known: set[str]) -> FieldProblem:
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    none = "this path takes no query parameters"
    detail = unknown_name("query parameter", name, known) if known else none
    return FieldProblem(pointer=pointer, detail=detail)
