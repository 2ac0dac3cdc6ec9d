import socket

import pytest

from workers.launcher.local.handle import LocalHandle
from workers.launcher.process_exit import ProcessExit, RankExit

EXIT = ProcessExit(ranks=(RankExit(rank=0, status=9),))


@pytest.mark.parametrize("commands", [0, 1, 3])
def test_a_supervisor_that_ended_before_it_read_a_command_has_still_said_how(commands: int) -> None:
    own_end, peer_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    handle = LocalHandle(own_end, ())
    peer_end.send(EXIT.model_dump_json().encode())
    for _ in range(commands):
        handle.extend_deadline(1.0)
    peer_end.close()
    handle.end("the supervisor was killed")
    assert handle.wait() == EXIT


@pytest.mark.parametrize("message", [b"", b'{"ranks": [', b"{}} "])
def test_a_supervisor_that_was_killed_leaves_the_problem(message: bytes) -> None:
    own_end, peer_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    handle = LocalHandle(own_end, ())
    if message:
        peer_end.send(message)
    peer_end.close()
    handle.end("the supervisor was killed")
    exit_ = handle.wait()
    assert exit_ is not None
    assert exit_.problem == "the supervisor was killed"
