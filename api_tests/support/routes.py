"""Every route of the application, those outside of the OpenAPI document, too."""

import re
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from service.api.query_names import QueryNames, declared_queries


@dataclass(frozen=True)
class Operation:
    """A method of a route; `path` has a value for each parameter, `queries` are its names."""

    method: str
    template: str
    path: str
    queries: frozenset[str]
    lists: frozenset[str] = frozenset()
    """Those of the queries that may be there several times."""

    @property
    def is_of_agents(self) -> bool:
        """Whether workers call it, and not people."""
        return self.template.startswith("/agent/")


def operations(app: FastAPI) -> list[Operation]:
    """Every method of every route."""
    return [
        _operation(method, str(route.path), declared_queries(route.dependant))
        for route in iter_route_contexts(app.routes)
        for method in sorted(route.methods or ())
    ]


def _with_values(template: str) -> str:
    if template == "/docs/{name}":
        return "/docs/swagger-ui.css"
    return re.sub(r"\{\w+\}", "x", template.replace("{path:path}", "main.js"))


def _operation(method: str, path: str, declared: QueryNames) -> Operation:
    return Operation(method, path, _with_values(path), declared.names, declared.lists)
