"""The refusals of the routes, for the OpenAPI document: each a problem document (RFC 9457)."""

from typing import Any

from service.contract.errors import Problem

_SCHEMAS = "#/components/schemas/"
_REASONS = {
    400: "The body or the Range header cannot be read",
    401: "The server has a token, and the request another or none",
    403: "A foreign host name, or a page of another origin",
    404: "There is no such thing",
    408: "The body did not arrive in time",
    409: "Its state does not allow it",
    410: "It was there, and is deleted",
    412: "It has changed since it was read",
    413: "The body is too large",
    415: "The body does not say that it is JSON",
    416: "The file has no such range",
    422: "A parameter or a field has no meaning; `errors` names each",
    429: "Too many requests, open streams or wrong tokens; wait as long as `Retry-After` says",
    500: "An error of the server itself, which its log has with the request's id",
    503: "The database or the volume does not answer; ask again",
}
_OF_EVERY_ROUTE = (401, 403, 422, 429, 500, 503)
_OF_A_BODY = (400, 408, 413, 415)

Responses = dict[int | str, dict[str, Any]]


def refusals(*statuses: int) -> Responses:
    """What a route answers besides that which every route may: its `responses`."""
    return {status: _response(status) for status in statuses}


def a_file(*statuses: int) -> Responses:
    """The `responses` of a route that sends a file, with its refusals."""
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {
        200: {"description": "The bytes", "content": content},
        206: {"description": "The bytes of a range", "content": content},
        304: {"description": "The caller has it already"},
        **refusals(400, 404, 410, 416, *statuses),
    }


def with_refusals(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the refusals that every route has, and the schema of a problem."""
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template=_SCHEMAS + "{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
            statuses = _OF_EVERY_ROUTE + (_OF_A_BODY if "requestBody" in operation else ())
            for status in statuses:
                operation["responses"][str(status)] = _response(status)
    return document


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    # A parameter that may be left out is None here; none can be null in a query.
    present = [each for each in schema.pop("anyOf", ()) if each != {"type": "null"}]
    return {**schema, **present[0]} if present else schema


def _response(status: int) -> dict[str, Any]:
    schema = {"$ref": _SCHEMAS + "Problem"}
    content = {"application/problem+json": {"schema": schema}}
    return {"description": _REASONS[status], "content": content}
