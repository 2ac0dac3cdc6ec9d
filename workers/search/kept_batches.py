"""Batches that are gone through again and again, kept in memory as far as there is room."""

from collections.abc import Callable, Generator, Iterator
from itertools import islice

from workers.data.loader import Batch


class KeptBatches:
    """The same batches each time: the first ones from memory, the others as a source gives them.

    `source` gives the batches after as many as it is told, and may be endless; `count` of all are
    taken. The first `limit_bytes` are kept.
    """

    def __init__(
        self, source: Callable[[int], Iterator[Batch]], count: int, limit_bytes: int
    ) -> None:
        self._source, self._count, self._left = source, count, limit_bytes
        self._kept: list[Batch] = []

    def __iter__(self) -> Generator[Batch]:
        yield from self._kept
        missing = self._count - len(self._kept)
        if not missing:
            return
        keeps, batches = True, self._source(len(self._kept))
        for batch in islice(batches, missing):
            size = sum(part.nbytes for part in batch)
            keeps = keeps and size <= self._left
            if keeps:
                self._left -= size
                # What a loader process made is in memory that is shared, each an open file.
                self._kept.append(Batch(*(part.clone() for part in batch)))
            yield batch
