"""The OpenAPI document: what FastAPI writes, and the parameters of the built-in recipes."""

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.refusals import with_refusals
from service.api.route_roles import ROLES
from service.contract.catalog import RecipeInfo, builtin_catalog
from service.contract.search_spaces import SearchSpace

_SCHEMAS = "#/components/schemas/"
_OTHER = "OtherRecipeSubmission"


class DocumentedApi(FastAPI):
    """An application whose document shows parameters of recipes, refusals and roles.

    One `frame` is around its routes, in place of the chain that FastAPI has for any middleware:
    what that chain does for errors, telemetry and bodies costs more than most routes.
    """

    needs_token: Callable[[], bool]
    session_cookie: str
    frame: Callable[[ASGIApp], ASGIApp]
    before_routes: Callable[[ASGIApp], ASGIApp]
    """What answers some requests in place of their routes, whose errors it raises."""

    def build_middleware_stack(self) -> ASGIApp:
        """The frame around the handlers of errors around the routes."""
        routes = self.before_routes(AsyncExitStackMiddleware(self.router))
        return self.frame(ExceptionMiddleware(routes, handlers=self.exception_handlers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or run the lifespan."""
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        scope["app"] = self
        await self.middleware_stack(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            document = with_refusals(with_recipe_parameters(super().openapi()))
            self.openapi_schema = with_roles(document, self.session_cookie)
        # A server may get its first token at any time.
        ways: list[dict[str, list[str]]] = [{"token": []}, {"session": []}]
        return self.openapi_schema | {"security": ways if self.needs_token() else [{}, *ways]}

    def methods_of(self, path: str) -> list[str]:
        """The methods of a path, for the header `Allow`; of a page or its files, GET and HEAD."""
        paths: dict[str, dict[str, Any]] = self.openapi()["paths"]
        matching = [each for each in paths if _pattern_of(each).fullmatch(path)]
        # `/checkpoints/gc` is no checkpoint's path: what is spelled out goes first.
        operations = paths[min(matching, key=lambda each: each.count("{"))] if matching else ["get"]
        methods = {method.upper() for method in operations}
        return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def with_recipe_parameters(document: dict[str, Any]) -> dict[str, Any]:
    """The document with `Submission` as a union by recipe; its last branch is of any other one.

    The recipes that workers bring are in `GET /recipes`: a document that changed with the workers
    would be no contract.
    """
    recipes = builtin_catalog().recipes
    schemas = document["components"]["schemas"]
    by_kind = schemas["Submission"]
    for recipe in recipes:
        schemas[_params_name(recipe)] = recipe.parameters
        schemas[_branch_name(recipe)] = _branch(recipe)
    schemas[_OTHER] = {
        "type": "object",
        "title": _OTHER,
        "description": "Of a recipe that a worker brings (see `GET /recipes`), or of the "
        "checkpoint's, where the submission names none.",
        "properties": {"recipe": {"not": {"enum": [recipe.name for recipe in recipes]}}},
    }
    by_recipe = {
        "oneOf": [{"$ref": _SCHEMAS + name} for name in (*map(_branch_name, recipes), _OTHER)],
        "discriminator": {
            "propertyName": "recipe",
            "mapping": {recipe.name: _SCHEMAS + _branch_name(recipe) for recipe in recipes},
        },
    }
    about = {key: by_kind.pop(key) for key in ("title", "description") if key in by_kind}
    schemas["Submission"] = about | {"allOf": [by_kind, by_recipe]}
    return document


def with_roles(document: dict[str, Any], session_cookie: str) -> dict[str, Any]:
    """The document with both ways to say who calls, and the role that each operation needs."""
    document["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of `POST /tokens` or `trainyard token create`, or that of the "
            "server's settings. `x-role` of an operation is the role that it needs: an admin has "
            "the rights of a user, and a user those of a viewer.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": session_cookie,
            "description": "The cookie of `POST /session`. A change needs `X-Requested-With`, too.",
        },
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            role = ROLES[f"{method.upper()} {path}"]
            if role is None:
                operation["security"] = []
            else:
                operation["x-role"] = role.value
    return document


def _pattern_of(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)))


def _branch(recipe: RecipeInfo) -> dict[str, Any]:
    return {
        "type": "object",
        "title": _branch_name(recipe),
        "description": recipe.title,
        "properties": {
            "recipe": {"const": recipe.name},
            "variant": _variants(recipe),
            "params": {"$ref": _SCHEMAS + _params_name(recipe)},
        },
        "required": ["recipe"],
    }


def _variants(recipe: RecipeInfo) -> dict[str, Any]:
    named: dict[str, Any] = {"enum": [*recipe.variants, None]}
    spaces = recipe.spaces.spaces
    return {"anyOf": [named, *chain.from_iterable(map(_digits, spaces))]} if spaces else named


def _digits(space: SearchSpace) -> Iterator[dict[str, Any]]:
    """The two schemas of an architecture of the space: as text, and as an object."""
    places = len(space.places)
    name = re.escape(space.name) if space.name is not None else None
    prefix = "" if name is None else f"{name}-" if space.only_by_name else f"({name}-)?"
    widths = f"(-c4{{{places}}})?" if space.fixed_widths else f"(-c[0-7]{{{places}}})?"
    yield {"type": "string", "pattern": f"^{prefix}b[0-3]{{{places}}}{widths}$"}
    channel = "4" if space.fixed_widths else "[0-7]"
    channels = {"type": "string", "pattern": f"^{channel}{{{places}}}$"}
    properties: dict[str, Any] = {
        "blocks": {"type": "string", "pattern": f"^[0-3]{{{places}}}$"},
        "channels": {"anyOf": [channels, {"type": "null"}]},
        "space": {"enum": [space.name] if space.only_by_name else list({space.name: 1, None: 1})},
    }
    required = ["blocks", "space"] if space.only_by_name else ["blocks"]
    yield {"type": "object", "properties": properties, "required": required}


def _params_name(recipe: RecipeInfo) -> str:
    return _camel_case(recipe.name) + "Params"


def _branch_name(recipe: RecipeInfo) -> str:
    return _camel_case(recipe.name) + "Submission"


def _camel_case(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
