"""A server with whatever a command is about, made when the command asks for it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from api_tests.support.attempts import draw_photos
from api_tests.support.commands import Run, runner
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.search_calls import begin, leave, tell, trained_supernet
from api_tests.support.searches import a_candidate, searching_catalog
from api_tests.support.server import Server, wait_for
from api_tests.support.sweep_calls import a_sweep, run_trials
from api_tests.support.webhook_receiver import WebhookReceiver

_ADMIN = "correct-horse"
_FIRST = 9
"""The priority: before what other workers may take."""
_EVALUATION = {
    "class_names": ["cat", "dog"],
    "confusion_matrix": [[3, 1], [0, 4]],
    "per_class": [
        {"class": "cat", "samples": 4, "correct": 3, "accuracy": 0.75},
        {"class": "dog", "samples": 4, "correct": 4, "accuracy": 1.0},
    ],
}


class CommandYard:
    """A real server whose workers are played; each method makes something, and gives its id."""

    def __init__(self, folder: Path, **settings: str) -> None:
        (folder / "server").mkdir()
        self.server = Server(folder / "server", token=_ADMIN, **settings)
        self.folder, self.receiver = folder, WebhookReceiver(folder / "receiver")
        # What commands find on this machine.
        own = {"VOLUME": folder / "volume", "DATA_ROOT": folder, "IMPORT_ROOT": folder}
        environ = {f"TRAINYARD_{name}": str(path) for name, path in own.items()}
        environ["TRAINYARD_DATABASE_URL"] = f"sqlite:///{folder}/here.db"
        self.run: Run = runner(self.server.url, TRAINYARD_TOKEN=_ADMIN, **environ)
        (folder / "volume" / "jobs").mkdir(parents=True)

    def stop(self) -> None:
        """Stop the server and the receiver."""
        self.receiver.kill()
        self.server.stop()

    def worker(self) -> FakeAgent:
        """A worker that can do everything."""
        agent = FakeAgent(self.server, _ADMIN)
        catalog = searching_catalog().model_dump(mode="json")
        agent.http.put(f"/agent/workers/{agent.id}/catalog", json=catalog).raise_for_status()
        return agent

    def queued(self) -> str:
        """A job that nobody takes."""
        return str(self.worker().submit()["id"])

    def paused(self) -> str:
        """A paused job."""
        agent = self.worker()
        job = str(agent.submit()["id"])
        agent.http.post(f"/jobs/{job}/pause").raise_for_status()
        return job

    def failed(self) -> str:
        """A job that has failed, and left a checkpoint."""
        agent = self.worker()
        agent.submit(priority=_FIRST)
        claim = agent.claim()
        agent.save(claim, 1)
        agent.report(claim, "failed", "invalid_data").raise_for_status()
        return str(claim["job_id"])

    def ended(self) -> str:
        """A training that has measured and saved something, and ended."""
        return self._trained()[0]

    def checkpoint(self) -> str:
        """A checkpoint."""
        return self._trained()[1]

    def evaluation(self) -> str:
        """An eval that has ended."""
        agent = self.worker()
        agent.submit()
        claim = agent.claim()
        leave(agent, claim, {"evaluation.json": json.dumps(_EVALUATION).encode()})
        return str(claim["job_id"])

    def supernet(self) -> str:
        """The checkpoint of a supernet."""
        return trained_supernet(self.worker())

    def search(self) -> str:
        """A search that has measured paths and ended with a picture."""
        agent = self.worker()
        claim = begin(agent)
        tell(agent, claim, *map(a_candidate, range(3)))
        leave(agent, claim, {"front.png": b"strips"})
        return str(claim["job_id"])

    def sweep(self, **more: Any) -> str:
        """A sweep whose trials wait."""
        return self._sweep(self.worker(), **more)

    def paused_sweep(self) -> str:
        """A paused sweep."""
        sweep = self.sweep()
        assert self.run("sweep", "pause", sweep).exit_code == 0
        return sweep

    def ended_sweep(self) -> str:
        """A sweep whose trial has succeeded."""
        agent = self.worker()
        sweep = self._sweep(agent, rates=(0.5,))
        run_trials(agent, {0.5: 0.1})

        def is_finished() -> bool:
            return bool(agent.http.get(f"/sweeps/{sweep}").json()["state"] == "finished")

        wait_for(is_finished, "the sweep's end")
        return sweep

    def sweep_file(self) -> str:
        """The path of a sweep's file."""
        path = self.folder / "sweep.json"
        path.write_text(json.dumps(a_sweep(self.worker())))
        return str(path)

    def webhook(self) -> str:
        """A webhook of the receiver."""
        made = self.worker().http.post("/webhooks", json={"url": self.receiver.url})
        made.raise_for_status()
        return str(made.json()["id"])

    def delivery(self) -> tuple[str, str]:
        """A webhook, and the id of a message that it got."""
        webhook = self.webhook()
        sent = json.loads(self.run("webhooks", "test", webhook, "--json").stdout)
        return webhook, str(sent["event_id"])

    def token(self) -> str:
        """The id of a token."""
        body = {"name": f"viewer-{self.worker().id}", "role": "viewer"}
        return str(self.worker().http.post("/tokens", json=body).json()["id"])

    def photos(self) -> str:
        """A folder of images."""
        if not (self.folder / "photos").exists():
            draw_photos(self.folder / "photos")
        return str(self.folder / "photos")

    def backup(self) -> str:
        """A copy of the database of this machine."""
        copy = str(self.folder / "backup")
        assert self.run("db", "backup", copy).exit_code == 0
        return copy

    @contextmanager
    def worked(self, work: Callable[[FakeAgent, dict[str, Any]], object]) -> Iterator[None]:
        """Until the block ends a worker waits for a job, and does it by `work`."""
        agent = self.worker()

        def act() -> None:
            claims: list[dict[str, Any]] = []

            def is_claimed() -> bool:
                answer = agent.ask()
                claims.extend([answer.json()] if answer.status_code == 200 else [])
                return bool(claims)

            wait_for(is_claimed, "a job to do")
            agent.beat(claims[0])
            work(agent, claims[0])

        thread = Thread(target=act)
        thread.start()
        try:
            yield
        finally:
            thread.join()

    def _trained(self) -> tuple[str, str]:
        agent = self.worker()
        agent.submit(priority=_FIRST)
        claim = agent.claim()
        agent.beat(claim, ("metrics", {"step": 1, "metrics": {"loss": 0.5, "top1_error": 0.1}}))
        checkpoint = agent.save(claim, 1, metrics={"top1_error": 0.1})
        agent.report(claim).raise_for_status()
        return str(claim["job_id"]), checkpoint

    def _sweep(self, agent: FakeAgent, **more: Any) -> str:
        made = agent.http.post("/sweeps", json=a_sweep(agent, **more))
        assert made.status_code == 201, made.text
        return str(made.json()["id"])


def left_file(agent: FakeAgent, claim: dict[str, Any]) -> None:
    """The end of an export."""
    leave(agent, claim, {"weights.pth.tar": b"weights"})


def published(agent: FakeAgent, claim: dict[str, Any]) -> None:
    """The end of an import, with its checkpoint."""
    agent.beat(claim, ("checkpoint", published_body(a_manifest(claim["job_id"], 0))))
    agent.report(claim).raise_for_status()
