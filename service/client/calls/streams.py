"""The calls that receive events as they happen (Server-Sent Events)."""

import codecs
import json
from dataclasses import dataclass
from functools import partial

import httpx
from pydantic import ValidationError

from service.client.calls.follow import patiently
from service.client.calls.responses import path_segment
from service.client.errors import ServerUnreachable, UnexpectedAnswer
from service.client.flow import Flow, Item, ItemFlow, next_chunk, pause, send
from service.contract.jobs import Event
from service.contract.reading import read

_SILENCE_SECONDS = 90.0
"""The server sends a comment every 15 s: a connection that is silent for longer is dead."""
_RECONNECT_SECONDS = 0.5


def stream(job_id: str, *, after: int = 0) -> ItemFlow[Event]:
    """The events of the job with a number above `after`, each as it happens, until the job's end.

    A broken connection is made again, and no event is left out or comes twice; a server may be away
    for less than a minute.
    """
    return _stream(f"/jobs/{path_segment(job_id)}/stream", after)


def stream_all(*, after: int | None = None) -> ItemFlow[Event]:
    """What happens to any job from now on, or after the event with this number; without an end."""
    return _stream("/stream", after)


@dataclass(frozen=True)
class _Frame:
    """One event of a stream as it is sent."""

    kind: str
    data: str


def _stream(path: str, after: int | None) -> ItemFlow[Event]:
    number = after
    while True:
        response = yield from patiently(partial(_open, path, number))
        frames = _Frames()
        while chunk := (yield from _chunk()):
            for frame in frames.after(chunk):
                if frame.kind == "end":
                    return
                event = _event(frame, response)
                number = event.number
                yield Item(event)
        yield from pause(_RECONNECT_SECONDS)


def _open(path: str, number: int | None) -> Flow[httpx.Response]:
    last = {} if number is None else {"Last-Event-ID": str(number)}
    headers = {"Accept-Encoding": "identity", **last}
    streamed = {"seconds": _SILENCE_SECONDS, "repeats": False, "is_streamed": True}
    return send("GET", path, headers=headers, **streamed)


def _event(frame: _Frame, response: httpx.Response) -> Event:
    try:
        return read(Event, json.loads(frame.data))
    except (ValueError, ValidationError) as error:
        raise UnexpectedAnswer(response) from error


def _chunk() -> Flow[bytes]:
    """The next bytes; none where the connection has ended or broken."""
    try:
        return (yield from next_chunk())
    except ServerUnreachable:
        return b""


class _Frames:
    """The frames in the bytes of a stream, which come in pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""

    def after(self, chunk: bytes) -> list[_Frame]:
        """The frames that this piece completes; comments are none."""
        *whole, self._text = (self._text + self._decoder.decode(chunk)).split("\n\n")
        return [frame for text in whole if (frame := _frame(text)) is not None]


def _frame(text: str) -> _Frame | None:
    fields = dict(line.split(": ", 1) for line in text.split("\n") if ": " in line)
    return _Frame(fields.get("event", ""), fields["data"]) if "data" in fields else None
