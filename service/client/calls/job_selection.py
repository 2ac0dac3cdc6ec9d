"""Filters of jobs as a query, or a body, of the API has them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from service.client.calls.moments import moment_text


def selection(
    *,
    params: Mapping[str, Any] | None = None,
    created_after: datetime | str | None = None,
    parts: bool = False,
    **filters: str | Sequence[str] | None,
) -> dict[str, str | Sequence[str]]:
    """The filters that are not None, with a parameter of a specification as `param.NAME`.

    Raises InvalidRequest for a moment without a zone.
    """
    named = {f"param.{name}": _text_of(value) for name, value in (params or {}).items()}
    moment = moment_text("created_after", created_after)
    given = {**filters, "parts": "true" if parts else None, "created_after": moment}
    return {name: value for name, value in given.items() if value is not None} | named


def _text_of(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
