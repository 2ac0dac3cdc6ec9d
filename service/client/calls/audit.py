"""The call for the audit list."""

from datetime import datetime

from service.client.calls.moments import moment_text
from service.client.calls.responses import paginate
from service.client.flow import ItemFlow
from service.contract.audit import AuditEntry

_PAGE = 200


def audit(
    *,
    actor: str | None = None,
    action: str | None = None,
    subject: str | None = None,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
) -> ItemFlow[AuditEntry]:
    """What callers have changed and were refused, newest first; an admin alone may read it.

    `actor` is the name of a token, `subject` an id, `action` a word such as `job.cancel`, or `job`
    for all that was done with jobs. `until` is excluded.
    """
    query = {
        "actor": actor,
        "action": action,
        "subject": subject,
        "since": moment_text("since", since),
        "until": moment_text("until", until),
    }
    return paginate(AuditEntry, "/audit", {**query, "limit": _PAGE})
