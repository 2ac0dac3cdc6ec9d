"""The socket that the server listens on."""

import asyncio
import socket
from pathlib import Path

from api_tests.support.coroutines import result_of
from service.opening import listen
from service.settings import Settings


def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_head(tmp_path: Path) -> None:
    assert result_of(_delays_of_an_accepted_connection(tmp_path)) == [False]


async def _delays_of_an_accepted_connection(folder: Path) -> list[bool]:
    """Whether Nagle's algorithm is on for a connection that asyncio accepts."""
    delays = list[bool]()
    accepted = asyncio.Event()

    def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer: socket.socket = writer.get_extra_info("socket")
        delays.append(peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0)
        writer.close()
        accepted.set()

    listening = listen(Settings(volume=folder, port=0))
    async with await asyncio.start_server(note, sock=listening) as server:
        address = server.sockets[0].getsockname()
        _, writer = await asyncio.open_connection(*address[:2])
        await accepted.wait()
        writer.close()
    return delays
