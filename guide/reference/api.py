"""The page of the REST API, from its OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from api_tests.support.openapi_document import document
from guide.reference.text import code, plain, table

_INTRODUCTION = """# REST API

Every call for people and programs. A server shows the same, with all fields, at `/docs`, where
calls can be tried; `/openapi.json` is for tools. Errors are problems by RFC 9457: `detail` says
what to change. Besides the answers below, every call may be refused with 401 (no valid token), 403
(the token's role does not allow it), 422 (a parameter or a field has no meaning), 500 and 503 (ask
again).
"""

_OF_EVERY_CALL = ("401", "403", "422", "500", "503")


def page() -> str:
    """Every call with its parameters, its body and its answers."""
    paths: dict[str, dict[str, Any]] = document()["paths"]
    calls = [
        _call(method.upper(), path, operation)
        for path, methods in sorted(paths.items())
        if not path.startswith("/agent/")
        for method, operation in methods.items()
    ]
    return "\n\n".join((_INTRODUCTION, *calls)) + "\n"


def _call(method: str, path: str, operation: dict[str, Any]) -> str:
    described = operation.get("description", operation.get("summary", ""))
    parts = [f"## {method} {plain(path)}", *(plain(each) for each in described.split("\n\n"))]
    body = operation.get("requestBody")
    if body is not None:
        parts.append(f"The body is {_kinds(body)}.")
    names = [f"{code(each['name'])} ({each['in']})" for each in operation.get("parameters", ())]
    if names:
        parts.append(f"Parameters: {', '.join(names)}.")
    answers = [
        (status, _answer(each))
        for status, each in operation["responses"].items()
        if status not in _OF_EVERY_CALL
    ]
    parts.append(table(("status", "answer"), answers))
    return "\n\n".join(parts)


def _answer(response: dict[str, Any]) -> str:
    return " ".join(filter(None, (plain(response.get("description", "")), _kinds(response))))


def _kinds(message: dict[str, Any]) -> str:
    return ", ".join(dict.fromkeys(filter(None, _models(message))))


def _models(message: dict[str, Any]) -> Iterator[str]:
    for media_type, content in message.get("content", {}).items():
        reference = content.get("schema", {}).get("$ref")
        yield code(reference.rpartition("/")[2] if reference else media_type)
