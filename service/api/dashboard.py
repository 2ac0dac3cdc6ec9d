"""The dashboard: files as they are, no build step."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from service.api.page_files import PageFiles
from service.api.responses import conditional

router = APIRouter(include_in_schema=False)

_PAGES = Path(str(files("service"))) / "dashboard"
_PLOTLY = Path(str(files("plotly"))) / "package_data" / "plotly.min.js"
_SUFFIXES = (".css", ".js", ".json", ".svg")
_ADDRESS = re.compile(r'(href|src)="dashboard/')


@router.get("/")
def index(request: Request) -> Response:
    """The page, whose files are those of this server."""
    response = conditional(request, _index())
    if response.status_code == 200:
        response.headers["Content-Type"] = "text/html; charset=utf-8"
    return response


@router.get("/dashboard/{path:path}")
def module(path: str, request: Request) -> Response:
    """A file that the page loads; raises HTTPException with 404."""
    match = _files().get(path)
    if match is None:
        raise HTTPException(404)
    file, is_named_by_digest = match
    return file.response(request, is_named_by_digest)


@cache
def _files() -> PageFiles:
    paths = [path for path in _PAGES.rglob("*") if path.suffix in _SUFFIXES]
    own = {path.relative_to(_PAGES).as_posix(): path for path in paths}
    return PageFiles(own | {_PLOTLY.name: _PLOTLY})


@cache
def _index() -> bytes:
    folder = f'\\1="dashboard/{_files().digest}/'
    return _ADDRESS.sub(folder, (_PAGES / "index.html").read_text("utf-8")).encode()
