"""Every route of the application, those outside of the OpenAPI document, too."""

import re
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts


@dataclass(frozen=True)
class Operation:
    """A method of a route; `path` has a value for each parameter, `queries` are its names."""

    method: str
    template: str
    path: str
    queries: frozenset[str]

    @property
    def is_of_agents(self) -> bool:
        """Whether workers call it, and not people."""
        return self.template.startswith("/agent/")


def operations(app: FastAPI) -> list[Operation]:
    """Every method of every route."""
    return [
        Operation(method, str(route.path), _with_values(str(route.path)), _queries(route.dependant))
        for route in iter_route_contexts(app.routes)
        for method in sorted(route.methods or ())
    ]


def _with_values(template: str) -> str:
    if template == "/docs/{name}":
        return "/docs/swagger-ui.css"
    return re.sub(r"\{\w+\}", "x", template.replace("{path:path}", "main.js"))


def _queries(dependant: Dependant) -> frozenset[str]:
    return frozenset(parameter.alias for parameter in dependant.query_params)
