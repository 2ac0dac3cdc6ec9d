"""The part of the dashboard's stand-in that answers for checkpoints and imports."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response

from service.api.parameters import PathId
from service.contract.checkpoint_lineage import Lineage, LineageEntry
from service.contract.checkpoints import Checkpoint
from service.contract.import_files import ImportFiles

Answer = Callable[[Request, Any], Response]
_KEPT = ("published", "damaged")


@dataclass
class FakeCheckpoints:
    """The checkpoints to answer with, and what a test wants to be refused or found."""

    rows: list[Checkpoint] = field(default_factory=list)
    lineages: dict[str, Lineage] = field(default_factory=dict)
    imports: ImportFiles = field(default_factory=ImportFiles)
    problems: tuple[str, ...] = ()
    """What a verification finds."""
    refusal: str = ""

    def get(self, checkpoint_id: str) -> Checkpoint | None:
        """The checkpoint of an id."""
        return next((each for each in self.rows if each.id == checkpoint_id), None)

    def replace(self, checkpoint: Checkpoint) -> None:
        """Changes the checkpoint with this id."""
        self.rows = [checkpoint if old.id == checkpoint.id else old for old in self.rows]

    def page(self, query: dict[str, str]) -> dict[str, Any]:
        """The page that a query asks for."""
        found = [each for each in self.rows if _fits(each, query)]
        order = query.get("order_by", "-created_at")
        name = order.removeprefix("-").removeprefix("metrics.")
        if "metrics." in order:
            found = [each for each in found if name in each.metrics]
        found.sort(
            key=lambda each: (each.metrics.get(name) or getattr(each, name, 0), each.id),
            reverse=order.startswith("-"),
        )
        ids = [each.id for each in found]
        first = ids.index(query["after"]) + 1 if "after" in query else 0
        limit = int(query.get("limit", "20"))
        page = found[first : first + limit]
        has_more = len(found) > first + limit
        return {
            "object": "list",
            "data": [_shown(each, query) for each in page],
            "has_more": has_more,
            "next": page[-1].id if has_more else None,
        }

    def lineage(self, checkpoint: Checkpoint) -> Lineage:
        """The lineage that a test has given, or one of the checkpoint alone."""
        return self.lineages.get(checkpoint.id) or Lineage(checkpoint=lineage_entry(checkpoint))


def lineage_entry(checkpoint: Checkpoint) -> LineageEntry:
    """A checkpoint as an entry of a lineage."""
    names = LineageEntry.model_fields.keys() - {"spec_sha256"}
    return LineageEntry(**checkpoint.model_dump(include=names), spec_sha256="ab" * 32)


def add_checkpoint_routes(
    app: FastAPI, fake: FakeCheckpoints, answer: Answer, called: Callable[..., None]
) -> None:
    """Adds the routes to the stand-in's application."""

    def refused(status: int, detail: str) -> Response:
        return Response(json.dumps({"status": status, "detail": detail}), status)

    @app.get("/imports")
    def imports(request: Request) -> Response:
        return answer(request, fake.imports.model_dump(mode="json"))

    @app.get("/checkpoints/{which:path}")
    def one(request: Request, which: str) -> Response:
        query = dict(request.query_params)
        if which in ("latest", "best"):
            metric = f"metrics.{query.pop('metric', '')}" if which == "best" else "-created_at"
            page = fake.page({**query, "order_by": metric, "state": "published"})
            if not page["data"]:
                return refused(404, "there is no such checkpoint yet")
            return answer(request, page["data"][0])
        checkpoint_id, _, part = which.partition("/")
        known = fake.get(checkpoint_id)
        if known is None:
            return refused(404, f"there is no checkpoint {checkpoint_id}")
        shown = fake.lineage(known) if part == "lineage" else known
        return answer(request, shown.model_dump(mode="json"))

    @app.patch("/checkpoints/{checkpoint_id}")
    async def change(request: Request, checkpoint_id: PathId) -> Response:
        body = (await request.body()).decode()
        known = fake.get(checkpoint_id)
        assert known is not None
        if fake.refusal:
            return refused(422, fake.refusal)
        changed = Checkpoint.model_validate(known.model_dump() | json.loads(body))
        fake.replace(changed)
        called(("PATCH", request.url.path, 200, body))
        return Response(changed.model_dump_json())

    @app.delete("/checkpoints/{checkpoint_id}")
    def delete(request: Request, checkpoint_id: PathId) -> Response:
        known = fake.get(checkpoint_id)
        assert known is not None
        if fake.refusal:
            return refused(409, fake.refusal)
        fake.replace(known.model_copy(update={"state": "purged"}))
        called(("DELETE", request.url.path, 204, ""))
        return Response(None, 204)

    @app.post("/checkpoints/{checkpoint_id}/verify")
    def verify(request: Request, checkpoint_id: PathId) -> dict[str, Any]:
        known = fake.get(checkpoint_id)
        assert known is not None
        state = "damaged" if fake.problems else "published"
        fake.replace(known.model_copy(update={"state": state}))
        called(("POST", request.url.path, 200, ""))
        return {"checkpoint_id": known.id, "ok": not fake.problems, "problems": fake.problems}


def _fits(checkpoint: Checkpoint, query: dict[str, str]) -> bool:
    shown = {**checkpoint.model_dump(), "job": checkpoint.job_id}
    named = ("job", "recipe", "variant", "phase", "state")
    if any(name in query and shown[name] != query[name] for name in named):
        return False
    if "tag" in query and query["tag"] not in checkpoint.tags:
        return False
    if "pinned" in query and str(checkpoint.pinned).lower() != query["pinned"]:
        return False
    is_kept = checkpoint.state in _KEPT
    return "retained" not in query or str(is_kept).lower() == query["retained"]


def _shown(checkpoint: Checkpoint, query: dict[str, str]) -> dict[str, Any]:
    shown = checkpoint.model_dump(mode="json")
    return shown | {"manifest": None} if query.get("manifest") == "false" else shown
