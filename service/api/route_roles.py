"""The role that each route needs: one table, which the frame and the OpenAPI document read.

A route that is not in it is answered to nobody: the server does not start with such a route.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from service.contract.access import Role

OPEN: tuple[str, ...] = (
    "GET /",
    "GET /dashboard/{path:path}",
    "GET /guide",
    "GET /guide/{path:path}",
    "GET /healthz",
    "GET /readyz",
    "GET /session",
    "POST /session",
    "DELETE /session",
)
"""What needs no token: probes, the login, and the files of the page and the guide, which every
server has."""

_BY_ROLE: dict[Role, tuple[str, ...]] = {
    Role.VIEWER: (
        "GET /jobs",
        "GET /jobs/series",
        "GET /jobs/{job_id}",
        "GET /jobs/{job_id}/attempts",
        "GET /jobs/{job_id}/events",
        "GET /jobs/{job_id}/checkpoints",
        "GET /jobs/{job_id}/metrics",
        "GET /jobs/{job_id}/samples",
        "GET /jobs/{job_id}/files/{name}",
        "GET /jobs/{job_id}/logs",
        "GET /jobs/{job_id}/log.txt",
        "GET /jobs/{job_id}/lineage",
        "GET /jobs/{job_id}/search",
        "GET /jobs/{job_id}/candidates",
        "GET /jobs/{job_id}/candidates.csv",
        "GET /jobs/{job_id}/stream",
        "GET /stream",
        "GET /exports/jobs.csv",
        "GET /exports/jobs/{job_id}/events.csv",
        "GET /exports/metrics.csv",
        "GET /exports/checkpoints.csv",
        "GET /checkpoints",
        "GET /checkpoints/latest",
        "GET /checkpoints/best",
        "GET /checkpoints/{checkpoint_id}",
        "GET /checkpoints/{checkpoint_id}/export",
        "GET /checkpoints/{checkpoint_id}/lineage",
        "GET /checkpoints/{checkpoint_id}/files/{name}",
        "GET /imports",
        "GET /workers",
        "GET /workers/{worker_id}",
        "GET /workers/{worker_id}/samples",
        "GET /recipes",
        "GET /recipes/{name}",
        "GET /recipes/{name}/size",
        "GET /datasets",
        "GET /metrics",
        "GET /sweeps",
        "GET /sweeps/{sweep_id}",
        "GET /sweeps/{sweep_id}/trials",
        "GET /version",
        "GET /openapi.json",
        "GET /docs",
        "GET /docs/start.js",
        "GET /docs/{name}",
        # Own tokens alone, unless an admin asks.
        "GET /tokens",
        "DELETE /tokens/{token_id}",
    ),
    Role.USER: (
        "POST /jobs",
        "POST /jobs/bulk",
        "PATCH /jobs/{job_id}",
        "DELETE /jobs/{job_id}",
        "POST /jobs/{job_id}/cancel",
        "POST /jobs/{job_id}/pause",
        "POST /jobs/{job_id}/resume",
        "POST /jobs/{job_id}/retry",
        "POST /sweeps",
        "POST /sweeps/{sweep_id}/pause",
        "POST /sweeps/{sweep_id}/resume",
        "POST /sweeps/{sweep_id}/cancel",
        "DELETE /sweeps/{sweep_id}",
        "POST /checkpoints/import",
        "POST /checkpoints/{checkpoint_id}/export",
        "POST /checkpoints/{checkpoint_id}/verify",
        "PATCH /checkpoints/{checkpoint_id}",
        "DELETE /checkpoints/{checkpoint_id}",
    ),
    Role.ADMIN: (
        "POST /checkpoints/gc",
        "POST /workers/{worker_id}/drain",
        "POST /workers/{worker_id}/resume",
        "POST /tokens",
        "GET /audit",
        # A receiver's URL may itself be a secret.
        "GET /webhooks",
        "POST /webhooks",
        "GET /webhooks/{webhook_id}",
        "PATCH /webhooks/{webhook_id}",
        "DELETE /webhooks/{webhook_id}",
        "POST /webhooks/{webhook_id}/rotate-secret",
        "POST /webhooks/{webhook_id}/test",
        "GET /webhooks/{webhook_id}/deliveries",
        "POST /webhooks/{webhook_id}/deliveries/{event_id}/redeliver",
    ),
    Role.WORKER: (
        "PUT /agent/workers/{worker_id}",
        "PUT /agent/workers/{worker_id}/volume",
        "PUT /agent/workers/{worker_id}/catalog",
        "POST /agent/workers/{worker_id}/gone",
        "POST /agent/claims",
        "POST /agent/heartbeats",
        "POST /agent/reports",
    ),
}

ROLES: Mapping[str, Role | None] = {
    **{route: role for role, routes in _BY_ROLE.items() for route in routes},
    **dict.fromkeys(OPEN),
}
"""By method and path of a route the role that it needs, None for one that needs no token."""


class UnnamedRole(Exception):
    """Routes that the table has no role for, or that only the table has; the message names them."""


def check_routes(routes: Iterable[str]) -> None:
    """Raise UnnamedRole unless each route, such as `GET /jobs`, has a line in the table."""
    present = set(routes)
    if missing := present - ROLES.keys():
        raise UnnamedRole(f"say in route_roles.py which role may call {', '.join(sorted(missing))}")
    if surplus := ROLES.keys() - present:
        raise UnnamedRole(f"route_roles.py has routes that are not there: {sorted(surplus)}")


@lru_cache(maxsize=4096)
def template_of(path: str) -> str | None:
    """The path of the route that answers a path, such as `/jobs/{job_id}`; None if none does."""
    if path in _PATTERNS:
        return path
    # What is spelled out goes first: `/jobs/series` is no job.
    return next((each for each, pattern in _PATTERNS.items() if pattern.fullmatch(path)), None)


def role_of(method: str, path: str) -> Role | None:
    """The role that a request needs; None for what is open, and for what no route answers."""
    return ROLES.get(f"{'GET' if method == 'HEAD' else method} {template_of(path)}")


def is_open(path: str) -> bool:
    """Whether the path is answered without a token."""
    return template_of(path) in _OPEN_PATHS


def _path_of(route: str) -> str:
    return route.partition(" ")[2]


def _pattern_of(template: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[a-z_]+(?::path)?\})", template)
    patterns = (
        (".*" if part.endswith(":path}") else "[^/]+") if part.startswith("{") else re.escape(part)
        for part in parts
    )
    return re.compile("".join(patterns), re.DOTALL)


_PATTERNS = {
    template: _pattern_of(template)
    for template in sorted({_path_of(route) for route in ROLES}, key=lambda each: each.count("{"))
}
_OPEN_PATHS = frozenset(map(_path_of, OPEN))
