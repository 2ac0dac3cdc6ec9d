"""A receiver of webhooks in a process of its own, which can be killed and started again."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook as Verifier

from api_tests.support.server import wait_for


@dataclass(frozen=True)
class Received:
    """A request that the receiver got."""

    headers: dict[str, str]
    body: str

    @property
    def event_id(self) -> str:
        """The id of its message."""
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)

    def is_signed_by(self, secret: str) -> bool:
        """Whether one of its signatures is what the library makes with a secret, at any time."""
        sent_at = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        signature = Verifier(secret).sign(self.event_id, sent_at, self.body)
        return signature in self.headers["webhook-signature"].split(" ")


class WebhookReceiver:
    """Notes each request in a file, and answers as it is told, at a port that stays its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder, self._port = folder, 0
        self.answer(200)
        self.process: subprocess.Popen[bytes]
        self.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}/hook"

    def answer(self, status: int, hang_seconds: float = 0.0, **headers: str) -> None:
        """Answer so from now on, after a pause."""
        text = json.dumps({"status": status, "hang_seconds": hang_seconds, "headers": headers})
        new = self._folder / "answer.new"
        new.write_text(text)
        new.rename(self._folder / "answer.json")

    def start(self) -> None:
        """Start (again)."""
        port_file = self._folder / "port"
        port_file.unlink(missing_ok=True)
        arguments = [str(self._folder), str(self._port)]
        command = [sys.executable, "-m", "api_tests.support.webhook_receiver", *arguments]
        self.process = subprocess.Popen(command)
        wait_for(lambda: port_file.exists() and port_file.read_text() != "", "the receiver")
        self._port = int(port_file.read_text())

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    @property
    def received(self) -> list[Received]:
        """Every request so far, of all processes."""
        path = self._folder / "received.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [Received(**json.loads(line)) for line in lines]

    def types(self) -> list[str]:
        """The types of the messages so far."""
        return [each.json["type"] for each in self.received]


def _serve(folder: Path, port: int) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads((folder / "answer.json").read_text())
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            with (folder / "received.jsonl").open("a") as file:
                file.write(json.dumps({"headers": headers, "body": body}) + "\n")
            time.sleep(told["hang_seconds"])
            self.send_response(told["status"])
            for name, value in told["headers"].items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(b"an answer")

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    (folder / "port").write_text(str(server.server_address[1]))
    server.serve_forever()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
