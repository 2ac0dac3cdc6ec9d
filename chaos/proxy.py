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
class Weather:
    """Shares of the replies that are hurt; `cut` breaks one in the middle, `drop` eats it whole."""

    delay: float = 0.0
    cut: float = 0.0
    drop: float = 0.0
    longest_delay_seconds: float = 0.5
    parted: bool = False
    """Nobody reaches anybody."""


CALM = Weather()
STORM = Weather(delay=0.3, cut=0.1, drop=0.1)
PARTED = Weather(parted=True)


class Proxy:
    """Runs in a thread of its own until it is closed."""

    def __init__(self, target_port: int, rng: random.Random) -> None:
        self.weather = CALM
        self.hurt = 0
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

    def part(self) -> None:
        """Cut every connection, and refuse new ones until the weather changes."""
        self.weather = PARTED
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
        if self.weather.parted:
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
                weather = self.weather
                drawn = self._rng.random()
                if drawn < weather.drop:
                    self.hurt += 1
                    return
                if drawn < weather.drop + weather.cut:
                    self.hurt += 1
                    writer.write(chunk[: len(chunk) // 2])
                    await writer.drain()
                    return
                if drawn < weather.drop + weather.cut + weather.delay:
                    self.hurt += 1
                    await asyncio.sleep(self._rng.uniform(0, weather.longest_delay_seconds))
                writer.write(chunk)
                await writer.drain()
