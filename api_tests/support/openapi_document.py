"""`python -m api_tests.support.openapi_document FILE`: the OpenAPI document, for other tools."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from api_tests.support.server_context import Clock, server_context
from service.api.app import build_app
from service.store.engine import Database


def document() -> dict[str, Any]:
    """The document of a server without a token."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/trainyard.db")
        app = build_app(server_context(database, Path(folder), Clock()))
        database.close()
        return app.openapi()


def write(path: Path) -> None:
    """Write the document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(), allow_nan=False))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
