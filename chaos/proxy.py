"""A TCP proxy between workers and their server that delays, cuts, and drops replies."""

import asyncio
import random
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class NetworkFaults:
    """The shares of replies that are delayed, cut in the middle, or dropped."""

    delay: float = 0.0
    cut: float = 0.0
    drop: float = 0.0
    longest_delay_seconds: float = 0.5
    partitioned: bool = False
    """No connection is accepted."""


NO_FAULTS = NetworkFaults()
LOSSY = NetworkFaults(delay=0.3, cut=0.1, drop=0.1)
PARTITIONED = NetworkFaults(partitioned=True)


class Proxy:
    """Runs in a thread of its own until it is closed."""

    def __init__(self, target_port: int, rng: random.Random) -> None:
        self.faults = NO_FAULTS
        self.faulty_replies = 0
        self._target_port, self._rng = target_port, rng
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listening = self._do(asyncio.start_server(self._serve, "127.0.0.1", self.port))

    def partition(self) -> None:
        """Cut every connection, and refuse new ones until `faults` changes."""
        self.faults = PARTITIONED
        self._loop.call_soon_threadsafe(self._cut_all)

    def close(self) -> None:
        """Stop listening and cut what is connected."""
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _end(self) -> None:
        self._listening.close()
        self._cut_all()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _cut_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.faults.partitioned:
            writer.transport.abort()
            return
        try:
            upstream = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, upstream[1]}
        try:
            asked = asyncio.create_task(self._ask(reader, upstream[1]))
            await self._answer(upstream[0], writer)
            asked.cancel()
        finally:
            for each in (writer, upstream[1]):
                each.transport.abort()
                self._writers.discard(each)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                writer.write(chunk)
                await writer.drain()
        writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                faults = self.faults
                drawn = self._rng.random()
                if drawn < faults.drop:
                    self.faulty_replies += 1
                    return
                if drawn < faults.drop + faults.cut:
                    self.faulty_replies += 1
                    writer.write(chunk[: len(chunk) // 2])
                    await writer.drain()
                    return
                if drawn < faults.drop + faults.cut + faults.delay:
                    self.faulty_replies += 1
                    await asyncio.sleep(self._rng.uniform(0, faults.longest_delay_seconds))
                writer.write(chunk)
                await writer.drain()
