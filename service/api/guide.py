"""The guide for users: the pages that `make docs` has built, which need no other server."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from service.api.page_files import PageFiles
from service.domain.errors import NotFound

router = APIRouter(include_in_schema=False)

FOLDER = Path(str(files("service"))) / "guide"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


@router.get("/guide")
def start() -> Response:
    """The way to its first page."""
    # Relative, so that it holds behind a prefix, too.
    return RedirectResponse("guide/")


@router.get("/guide/{path:path}")
def page(path: str, request: Request) -> Response:
    """A page or a file of the guide; raises NotFound."""
    pages = _files(FOLDER)
    if pages.get("index.html") is None:
        message = "this server was installed without its guide: `make docs` builds it"
        raise NotFound("no_guide", message)
    is_folder = path == "" or path.endswith("/")
    match = pages.get(f"{path}index.html" if is_folder else path)
    if match is None:
        if not is_folder and pages.get(f"{path}/index.html") is not None:
            return RedirectResponse(f"{path.rpartition('/')[2]}/")
        raise NotFound("no_such_path", f"the guide has no page /guide/{path}")
    response = match[0].response(request, is_named_by_digest=False)
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@cache
def _files(folder: Path) -> PageFiles:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return PageFiles({path.relative_to(folder).as_posix(): path for path in paths})
