"""Moments as a query, or a body, of the API has them."""

from datetime import UTC, datetime

from service.client.errors import InvalidRequest


def moment_text(name: str, moment: datetime | str | None) -> str | None:
    """A moment in ISO 8601; a text is as it was. Raises InvalidRequest for one without a zone."""
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise InvalidRequest(f"{name} needs a time zone, such as datetime.UTC")
    return moment.astimezone(UTC).isoformat()
