"""The dashboard: files as they are, no build step."""

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

_PAGES = Path(str(files("service"))) / "dashboard"
_PLOTLY = Path(str(files("plotly"))) / "package_data" / "plotly.min.js"
# Asked about at each visit, so that an upgraded server never meets yesterday's modules.
_FRESH = {"Cache-Control": "no-cache"}


class _Modules(StaticFiles):
    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers.update(_FRESH)
        return response


def mount(app: FastAPI) -> None:
    """Serve the page at `/` and its modules below `/dashboard`."""

    @app.get("/", include_in_schema=False)
    def index() -> FileResponse:
        return FileResponse(_PAGES / "index.html", headers=_FRESH)

    @app.get("/dashboard/plotly.min.js", include_in_schema=False)
    def plotly() -> FileResponse:
        return FileResponse(_PLOTLY, headers=_FRESH)

    app.mount("/dashboard", _Modules(directory=_PAGES), name="dashboard")
