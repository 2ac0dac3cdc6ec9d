"""Work on many images by all cores, in order."""

import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import Queue
from threading import Thread
from typing import Generic, TypeVar

from service.contract.kernel import die_with_parent
from workers.data.errors import InvalidData

Result = TypeVar("Result")

_CHUNK = 16
_CHUNKS_AHEAD = 4
"""Results that a process keeps until they are taken: it works on meanwhile."""
_FORKS = get_context("fork")


def in_processes(
    work: Callable[[int], Result], numbers: Sequence[int], processes: int
) -> Iterator[Result]:
    """`work` of each number, in order, by forked processes, which end with this one.

    Raises what `work` raises, and InvalidData if a process is killed, as by a picture that takes
    all memory.
    """
    if processes < 2 or len(numbers) < _CHUNK:
        yield from map(work, numbers)
        return
    chunks = [numbers[at : at + _CHUNK] for at in range(0, len(numbers), _CHUNK)]
    with ExitStack() as children:
        shares = [chunks[first::processes] for first in range(min(processes, len(chunks)))]
        workers = [children.enter_context(_Worker(work, share)) for share in shares]
        for _, worker in zip(chunks, cycle(workers), strict=False):
            yield from worker.results()


class _Worker(Generic[Result]):
    """A process, and the pipe by which it sends the results of its chunks in their order.

    The pipe is its own: what is killed in the middle of a result leaves no other process waiting
    for its lock, and no reader for the rest, since nobody else can write to it.
    """

    def __init__(self, work: Callable[[int], Result], chunks: Sequence[Sequence[int]]) -> None:
        self._reader, writer = _FORKS.Pipe(duplex=False)
        with writer:
            self._process = _FORKS.Process(
                target=_run, args=(work, chunks, writer, os.getpid()), daemon=True
            )
            self._process.start()

    def __enter__(self) -> "_Worker[Result]":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self._reader.close()

    def results(self) -> list[Result]:
        """The results of its next chunk, waited for."""
        try:
            results: list[Result] | Exception = self._reader.recv()
        except (EOFError, OSError) as error:
            raise InvalidData(
                "a process was killed while it read an image, as by a picture that takes all "
                "memory: try again with fewer processes"
            ) from error
        if isinstance(results, Exception):
            raise results
        return results


def _run(
    work: Callable[[int], object],
    chunks: Sequence[Sequence[int]],
    writer: Connection,
    parent: int,
) -> None:
    die_with_parent(parent)
    # A signal may reach every process of a group; the one that forked this one ends it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    ready: Queue[list[object] | Exception | None] = Queue(_CHUNKS_AHEAD)
    sender = Thread(target=_send, args=(ready, writer))
    sender.start()
    try:
        for chunk in chunks:
            ready.put([work(number) for number in chunk])
    except Exception as error:
        error.add_note("".join(traceback.format_exception(error)))
        ready.put(error)
    ready.put(None)
    sender.join()


def _send(ready: "Queue[list[object] | Exception | None]", writer: Connection) -> None:
    try:
        while (results := ready.get()) is not None:
            writer.send(results)
    except BaseException:
        # As a result that cannot be pickled: whoever waits for it is told by the end of the pipe.
        traceback.print_exc()
        os._exit(1)
