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
_SUFFIXES = (".css", ".js", ".json", ".svg")
# Styles that the page sets by itself are no inline styles of the document.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ADDRESS = re.compile(r'(href|src)="dashboard/')
_IMPORT = re.compile(r'^(?:import|export) (?:[^"]* from )?"(\.[^"]+)"', re.MULTILINE)


@router.get("/")
def index(request: Request) -> Response:
    """The page, whose files are those of this server."""
    response = conditional(request, _index())
    if response.status_code == 200:
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        response.headers["Content-Security-Policy"] = _POLICY
    return response


@router.get("/dashboard/{path:path}")
def module(path: str, request: Request) -> Response:
    """A file that the page loads; raises HTTPException with 404."""
    match = _files().get(path)
    if match is None:
        raise HTTPException(404)
    file, is_named_by_digest = match
    return file.response(request, is_named_by_digest)


def page_digest() -> str:
    """The digest of the page's files, which is in their addresses: another after an upgrade."""
    return _files().digest


@cache
def _files() -> PageFiles:
    paths = [path for path in _PAGES.rglob("*") if path.suffix in _SUFFIXES]
    return PageFiles({path.relative_to(_PAGES).as_posix(): path for path in paths})


@cache
def _index() -> bytes:
    # All at once: a browser finds them one import after another, each a round trip later.
    preloads = "".join(
        f'<link rel="modulepreload" href="dashboard/{module.relative_to(_PAGES).as_posix()}">'
        for module in sorted(_needed_by(_PAGES / "main.js"))
    )
    html = (_PAGES / "index.html").read_text("utf-8").replace("</head>", f"{preloads}</head>")
    return _ADDRESS.sub(f'\\1="dashboard/{_files().digest}/', html).encode()


def _needed_by(module: Path) -> set[Path]:
    """The modules that one imports, at any depth; what it loads later is not of them."""
    needed, left = set[Path](), {module}
    while left:
        importing = left.pop()
        imports = _IMPORT.findall(importing.read_text("utf-8"))
        left |= {(importing.parent / name).resolve() for name in imports} - needed
        needed |= left
    return needed
