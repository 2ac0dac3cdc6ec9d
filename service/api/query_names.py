"""A query parameter that is unknown, empty or repeated is refused by its name."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from service.contract.errors import FieldProblem
from service.contract.job_queries import LISTS, PARAMETER, JobSelection
from service.contract.nearest import unknown_name
from service.domain.errors import InvalidFields


async def refuse_unclear_queries(request: Request) -> None:
    """Raise InvalidFields for parameters that the matched route does not declare.

    One that is empty, and one that is there twice and is no list, are refused, too.
    """
    if not request.scope["query_string"]:
        return
    route = request.scope["route"]
    assert isinstance(route, APIRoute)
    problems = list(_problems(request, declared_queries(route.dependant)))
    if problems:
        raise InvalidFields(problems)


StrictQuery = Depends(refuse_unclear_queries)
"""For every router whose callers are people: an agent may be newer than the server."""


@dataclass(frozen=True)
class QueryNames:
    """The names of a route's query parameters; those of `lists` may be there several times.

    Any name that begins with one of `prefixes` may be there, too.
    """

    names: frozenset[str]
    lists: frozenset[str]
    prefixes: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Whether the route has the parameter."""
        return name in self.names or name.startswith(self.prefixes)


def declared_queries(dependant: Dependant) -> QueryNames:
    """The query parameters that a route and its dependencies declare."""
    names: set[str] = set()
    lists: set[str] = set()
    prefixes: list[str] = []
    for each in _with_dependencies(dependant):
        for parameter in each.query_params:
            model = parameter.field_info.annotation
            if not (isinstance(model, type) and issubclass(model, BaseModel)):
                names.add(parameter.alias)
                if _is_list(model):
                    lists.add(parameter.alias)
                continue
            names.update(field.alias or name for name, field in model.model_fields.items())
            if issubclass(model, JobSelection):
                lists.update(LISTS)
                prefixes.append(PARAMETER)
    return QueryNames(frozenset(names), frozenset(lists), tuple(prefixes))


def _is_list(annotation: Any) -> bool:
    return any(get_origin(each) is list for each in (annotation, *get_args(annotation)))


def _with_dependencies(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _with_dependencies(each)


def _problems(request: Request, declared: QueryNames) -> Iterator[FieldProblem]:
    pairs = request.query_params.multi_items()
    empty = {name for name, value in pairs if not value}
    for name, count in sorted(Counter(name for name, _ in pairs).items()):
        if not declared.has(name):
            none = "this path takes no query parameters"
            unknown = unknown_name("query parameter", name, declared.names)
            yield _problem(name, unknown if declared.names else none)
        elif count > 1 and name not in declared.lists:
            yield _problem(name, f"this query parameter is there {count} times; give it once")
        elif name in empty:
            yield _problem(name, "this query parameter is empty; give it a value or leave it out")


def _problem(name: str, detail: str) -> FieldProblem:
    return FieldProblem(pointer="/" + name.replace("~", "~0").replace("/", "~1"), detail=detail)
