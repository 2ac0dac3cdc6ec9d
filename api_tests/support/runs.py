"""A training over REST whose checkpoints are whole folders."""

from typing import Any

from api_tests.support.checkpoint_folders import attempt_folder, save
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.manifests import published_body
from api_tests.support.server import Server
from service.volume.folder import read_manifest

DIGITS = {"num_classes": 10, "class_names": [str(digit) for digit in range(10)]}
# Steps and errors in three orders, so that no order is another's by accident.
ERRORS = {1: 0.3, 2: 0.1, 3: 0.2}


class Run:
    """A claimed training whose checkpoints are whole folders."""

    def __init__(self, server: Server, agent: FakeAgent, **fields: Any) -> None:
        self.agent, self.volume = agent, server.volume
        agent.submit(**{"retention": {"keep_last": 9}} | fields)
        self.claim = agent.claim()
        self.job_id: str = self.claim["job_id"]
        self.http = agent.http

    def id_of(self, step: int) -> str:
        """The id of the checkpoint of a step."""
        return f"ckpt_{self.job_id[-12:]}_{step}"

    def save(self, step: int, error: float | None = None, **fields: Any) -> str:
        """Publish a checkpoint and tell of it."""
        folder = attempt_folder(self.volume, self.claim["attempt"], self.job_id)
        own = {"job_id": self.job_id, "attempt": self.claim["attempt"], **DIGITS}
        metrics = {} if error is None else {"top1_error": error}
        own |= {"checkpoint_id": self.id_of(step), "metrics": metrics} | fields
        assert save(folder, step, **own) is None
        manifest = read_manifest(folder / f"step-{step:09d}")
        assert manifest is not None
        self.agent.beat(self.claim, ("checkpoint", published_body(manifest)))
        return manifest.checkpoint_id

    def steps(self, **query: Any) -> list[int]:
        """The steps of a list, all pages of it."""
        found: list[int] = []
        after = None
        while True:
            asked = {"job": self.job_id, "limit": 2, **query} | ({"after": after} if after else {})
            page = self.http.get("/checkpoints", params=asked).json()
            found += [each["step"] for each in page["data"]]
            after = page["next"]
            if not page["has_more"]:
                return found

    def names(self) -> list[str]:
        """The folders of its attempt."""
        return sorted(p.name for p in attempt_folder(self.volume, 1, self.job_id).iterdir())
