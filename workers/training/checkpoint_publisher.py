"""The checkpoints of a run: their manifests, and the event once one is on disk."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from service import __version__
from service.contract.checkpoints import Manifest
from workers.checkpoints.snapshot import CheckpointWriter
from workers.data.fingerprint import DATA_FILE, RunData
from workers.data.mean_image import MEAN_FILE, mean_bytes
from workers.training.attempt_results import is_disk_full
from workers.training.non_finite import SMALLER_RATE, require_finite_tensors
from workers.training.run_context import RunContext
from workers.training.state import RunState

_STUCK_SECONDS = 10.0
"""How long a volume may hang before the run goes on without the next save."""


class CheckpointsNotSaved(Exception):
    """Saves fail again and again for the same cause: what is trained would be lost."""


class CheckpointPublisher:
    """Every rank hands in its state; rank 0 writes it, or raises NonFiniteLoss.

    `parent` is the checkpoint that the run started from. Each checkpoint has `data`, and the mean
    image if there is one.
    """

    def __init__(
        self,
        context: RunContext,
        state: RunState,
        *,
        class_names: tuple[str, ...],
        parent: str | None,
        data: RunData,
        mean: Tensor | None,
    ) -> None:
        self._context, self._state = context, state
        self._ranks, self._events = context.ranks, context.events
        self._class_names = class_names
        self.newest = parent
        self._failures: set[tuple[type[Exception], int | None]] = set()
        self._unsaved: CheckpointsNotSaved | None = None
        companions = {DATA_FILE: data.model_dump_json(exclude_none=True).encode()}
        if mean is not None:
            companions[MEAN_FILE] = mean_bytes(mean)
        self._writer = CheckpointWriter(
            context.attempt_folder,
            on_published=self._published,
            on_failed=self._save_failed,
            companions=companions,
        )

    def save_in_passing(self, phase: str) -> None:
        """Copy the state and start writing it; left out while the save before hangs on its volume.

        A failure is an event, and the run goes on until `require_saves`.
        """
        rank_states = self._ranks.gathered(self._state.of_rank())
        if self._ranks.is_first and self._writer.is_stuck(_STUCK_SECONDS):
            step = self._state.step
            self._events.note(
                f"no checkpoint at step {step}: the one before is still being written"
            )
        else:
            self._write(phase, rank_states)

    def save(self, phase: str) -> None:
        """Save after the save before has ended, however long it takes: the last one of a run."""
        final = phase == "final"
        self._write(phase, [] if final else self._ranks.gathered(self._state.of_rank()))

    def _write(self, phase: str, rank_states: Sequence[dict[str, Any]]) -> None:
        if not self._ranks.is_first:
            return
        final = phase == "final"
        # The parent is known only once the save before has ended, well or not.
        self._writer.wait()
        optimizer = {} if final else self._state.optimizer_tensors()
        network = self._state.network.state_dict()
        # An update may overflow whose loss was a number, and so may a statistic of batch norm.
        what = f"the weights and statistics of step {self._state.step} are"
        require_finite_tensors(network, what, SMALLER_RATE)
        self._writer.save(self._manifest(phase), network, optimizer, rank_states)

    def require_saves(self) -> None:
        """Raise CheckpointsNotSaved if a save failed as one before it, and none succeeded since.

        A full disk is no such failure: there may be space at the next save.
        """
        if self._unsaved is not None:
            raise self._unsaved

    def wait(self) -> Exception | None:
        """Wait for the save in flight and give its error."""
        return self._writer.wait()

    def close(self) -> None:
        """Wait for the save in flight, and end the writing thread."""
        self._writer.close()

    def _manifest(self, phase: str) -> Manifest:
        claim, params = self._context.claim, self._context.params
        spec = claim.job_spec
        return Manifest.model_validate(
            {
                "checkpoint_id": self._context.new_id(),
                "job_id": claim.job_id,
                "attempt": claim.attempt,
                "step": self._state.step,
                "phase": phase,
                "recipe": spec.recipe,
                "variant": spec.variant,
                "num_classes": len(self._class_names),
                "class_names": self._class_names,
                "image_size": params.image_size,
                "preprocessing": params.preprocessing,
                "spec_sha256": hashlib.sha256(spec.model_dump_json().encode()).hexdigest(),
                "world_size": self._ranks.world_size,
                "created_at": self._context.now(),
                "metrics": self._state.metrics,
                "versions": {"trainyard": __version__, "torch": torch.__version__},
                "parent_checkpoint": self.newest,
                "files": {},
            }
        )

    def _published(self, folder: Path, manifest: Manifest) -> None:
        self.newest = manifest.checkpoint_id
        self._failures.clear()
        path = str(folder.relative_to(self._context.assignment.volume))
        seconds = round(self._writer.seconds_of_save(), 3)
        dumped = manifest.model_dump(mode="json")
        body = {"checkpoint": dumped, "path": path, "seconds": seconds}
        self._events.report("checkpoint", body, f"saved {folder.name}")

    def _save_failed(self, error: Exception) -> None:
        self._events.note(f"a checkpoint could not be saved: {error}")
        if is_disk_full(error):
            return
        kind = (type(error), error.errno if isinstance(error, OSError) else None)
        if kind in self._failures:
            message = f"checkpoints cannot be saved, and what is trained would be lost: {error}"
            self._unsaved = CheckpointsNotSaved(message)
        self._failures.add(kind)
