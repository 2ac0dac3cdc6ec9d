"""The prefix of all paths where a proxy serves the server below one, such as `/trainyard`."""

from urllib.parse import urlsplit, urlunsplit

from starlette.types import Scope


def with_prefix(location: str, scope: Scope) -> str:
    """Where a client finds what the server has at `location`, a path or an address of its own."""
    url = urlsplit(location)
    prefix: str = scope.get("root_path", "")
    path = prefix + route_path({"path": url.path, "root_path": prefix})
    return urlunsplit(("", "", path, url.query, url.fragment))


def route_path(scope: Scope) -> str:
    """The path of a request without the prefix, whether the proxy has removed it or not."""
    path: str = scope["path"]
    prefix: str = scope.get("root_path", "")
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        return path.removeprefix(prefix) or "/"
    return path
