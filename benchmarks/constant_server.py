"""A FastAPI application that answers a constant: `python -m benchmarks.constant_server PROTOCOL`.

PROTOCOL is `own`, the HTTP connection of Trainyard's server, or `h11`, uvicorn's with h11 alone.
"""

import socket
import sys

import uvicorn
from fastapi import FastAPI

from service.http_connection import HttpConnection, connection_limit

app = FastAPI()


@app.get("/constant")
async def constant() -> dict[str, str]:
    """The smallest answer, on the event loop."""
    return {"status": "ok"}


def main(protocol: str) -> None:
    """Write the address, then serve until SIGTERM."""
    # As the server's own: with the protocol named, asyncio sends the parts of an answer at once.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws="none",
        loop="asyncio",
        http=HttpConnection if protocol == "own" else "h11",
        limit_concurrency=connection_limit(),
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1])
