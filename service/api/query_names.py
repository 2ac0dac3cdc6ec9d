"""A query parameter that is unknown, empty or repeated is refused by its name."""

from collections import Counter
from collections.abc import Iterator

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from service.contract.errors import FieldProblem
from service.contract.nearest import unknown_name
from service.domain.errors import InvalidFields


async def refuse_unclear_queries(request: Request) -> None:
    """Raise InvalidFields for parameters that the matched route does not declare.

    Every parameter has one value: one that is empty or there twice is refused, too.
    """
    if not request.scope["query_string"]:
        return
    route = request.scope["route"]
    assert isinstance(route, APIRoute)
    problems = list(_problems(request, _declared(route.dependant)))
    if problems:
        raise InvalidFields(problems)


StrictQuery = Depends(refuse_unclear_queries)
"""For every router whose callers are people: an agent may be newer than the server."""


def _problems(request: Request, known: set[str]) -> Iterator[FieldProblem]:
    pairs = request.query_params.multi_items()
    empty = {name for name, value in pairs if not value}
    for name, count in sorted(Counter(name for name, _ in pairs).items()):
        if name not in known:
            none = "this path takes no query parameters"
            yield _problem(name, unknown_name("query parameter", name, known) if known else none)
        elif count > 1:
            yield _problem(name, f"this query parameter is there {count} times; give it once")
        elif name in empty:
            yield _problem(name, "this query parameter is empty; give it a value or leave it out")


def _declared(dependant: Dependant) -> set[str]:
    names = {parameter.alias for parameter in dependant.query_params}
    return names.union(*(_declared(each) for each in dependant.dependencies))


def _problem(name: str, detail: str) -> FieldProblem:
    return FieldProblem(pointer="/" + name.replace("~", "~0").replace("/", "~1"), detail=detail)
