"""Work on many images by all cores, in order."""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import active_children, get_context
from typing import TypeVar

from service.contract.kernel import die_with_parent
from workers.data.errors import InvalidData

Result = TypeVar("Result")

_CHUNK = 16
_CHUNKS_AHEAD = 4

_work: Callable[[int], object]


def in_processes(
    work: Callable[[int], Result], numbers: Sequence[int], processes: int
) -> Iterator[Result]:
    """`work` of each number, in order, by forked processes, which end with this one.

    Raises InvalidData if one of them is killed, as by a picture that takes all memory.
    """
    if processes < 2 or len(numbers) < _CHUNK:
        yield from map(work, numbers)
        return
    chunks = (numbers[at : at + _CHUNK] for at in range(0, len(numbers), _CHUNK))
    try:
        with _pool(work, processes) as pool:
            pending: deque[Future[list[object]]] = deque(
                pool.submit(_work_on, chunk) for chunk in islice(chunks, processes * _CHUNKS_AHEAD)
            )
            while pending:
                results = pending.popleft().result()
                pending.extend(pool.submit(_work_on, chunk) for chunk in islice(chunks, 1))
                yield from results  # type: ignore[misc] # what `work` has given
    except BrokenProcessPool as error:
        raise InvalidData(
            "a process was killed while it read an image, as by a picture that takes all memory: "
            "try again with fewer processes"
        ) from error


@contextmanager
def _pool(work: Callable[[int], object], processes: int) -> Iterator[ProcessPoolExecutor]:
    others = set(active_children())
    pool = ProcessPoolExecutor(
        processes, get_context("fork"), initializer=_begin, initargs=(work, os.getpid())
    )
    try:
        yield pool
    except BaseException:
        # A pool that has lost a process sends SIGTERM to the others, which ignore it, and waits
        # for them, which wait until it takes their results.
        for process in set(active_children()) - others:
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(work: Callable[[int], object], parent: int) -> None:
    global _work
    die_with_parent(parent)
    # A signal may reach every process of a group; the one that forked this one ends it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _work = work


def _work_on(numbers: Sequence[int]) -> list[object]:
    return [_work(number) for number in numbers]
