"""The dashboard: files as they are, no build step."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)

_PAGES = Path(str(files("service"))) / "dashboard"
_PLOTLY = Path(str(files("plotly"))) / "package_data" / "plotly.min.js"
# Asked about at each visit, so that an upgraded server never meets yesterday's modules.
_FRESH = {"Cache-Control": "no-cache"}
_MODULES = StaticFiles(directory=_PAGES)


@router.get("/")
def index() -> FileResponse:
    """The page."""
    return FileResponse(_PAGES / "index.html", headers=_FRESH)


@router.get("/dashboard/plotly.min.js")
def plotly() -> FileResponse:
    """The library that draws the curves."""
    return FileResponse(_PLOTLY, headers=_FRESH)


@router.get("/dashboard/{path:path}")
async def module(path: str, request: Request) -> Response:
    """A file that the page loads; raises HTTPException with 404."""
    response = await _MODULES.get_response(path, request.scope)
    response.headers.update(_FRESH)
    return response
