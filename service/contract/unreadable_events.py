"""The events in the place of those of an agent that cannot be read, or that are too many."""

from typing import Any

from service.contract.fields import MOST_STEPS

MOST_EVENTS = 1000
"""The events that one message brings of an attempt."""
UNREADABLE_EVENT = "unreadable"
"""The kind of an event that stands for another; its body has a `message`."""
_UNKNOWN_MOMENT = "1970-01-01T00:00:00Z"


def unreadable_event(event: Any, problem: str) -> dict[str, Any]:
    """An event in the place of one that cannot be read: the history says so, under its number."""
    seq = event.get("seq") if isinstance(event, dict) else None
    is_number = isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq <= MOST_STEPS
    return {
        "seq": seq if is_number else 0,
        "kind": UNREADABLE_EVENT,
        "at": _UNKNOWN_MOMENT,
        "body": {"message": f"an event could not be read: {problem}"},
    }


def first_events(events: Any) -> Any:
    """The first events of a report, with a note in the place of those that are too many."""
    if not isinstance(events, list | tuple) or len(events) <= MOST_EVENTS:
        return events
    kept, left_out = events[: MOST_EVENTS - 1], events[MOST_EVENTS - 1 :]
    note = unreadable_event(left_out[-1], "")
    note["body"] = {"message": f"{len(left_out)} more events came with the end; they are left out"}
    return [*kept, note]
