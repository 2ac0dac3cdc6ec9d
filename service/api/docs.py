"""The API's document, and a page that shows it; nothing is loaded from another server."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from service.domain.errors import NotFound

router = APIRouter(include_in_schema=False)

_ASSETS = Path(str(files("fastapi_offline"))) / "static"
# The addresses are relative, so that the page works behind a prefix, too.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Trainyard API</title>
<link rel="icon" href="dashboard/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null,
  // Who has logged in on the page may try out what changes something, too.
  requestInterceptor: (request) => {
    request.headers["X-Requested-With"] = "trainyard";
    return request;
  },
});
"""


@router.get("/openapi.json")
def document(request: Request) -> JSONResponse:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/docs")
def page() -> HTMLResponse:
    """The document for reading and trying."""
    return HTMLResponse(_PAGE)


@router.get("/docs/start.js")
def start() -> Response:
    """Starts Swagger UI; a file, since the page allows no inline scripts."""
    return Response(_START, media_type="text/javascript")


@router.get("/docs/{name}")
def asset(name: str) -> FileResponse:
    """A file of Swagger UI."""
    if name not in ("swagger-ui.css", "swagger-ui-bundle.js"):
        raise NotFound("no_such_path", f"there is no /docs/{name}")
    return FileResponse(_ASSETS / name)
