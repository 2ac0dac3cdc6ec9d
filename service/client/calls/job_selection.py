"""Filters of jobs as a query, or a body, of the API has them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from service.client.errors import InvalidRequest


def selection(
    *,
    params: Mapping[str, Any] | None = None,
    created_after: datetime | str | None = None,
    **filters: str | Sequence[str] | None,
) -> dict[str, str | Sequence[str]]:
    """The filters that are not None, with a parameter of a specification as `param.NAME`.

    Raises InvalidRequest for a moment without a zone.
    """
    named = {f"param.{name}": _text_of(value) for name, value in (params or {}).items()}
    if isinstance(created_after, datetime):
        if created_after.tzinfo is None:
            raise InvalidRequest("created_after needs a time zone, such as datetime.UTC")
        created_after = created_after.astimezone(UTC).isoformat()
    given = {**filters, "created_after": created_after}
    return {name: value for name, value in given.items() if value is not None} | named


def _text_of(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
