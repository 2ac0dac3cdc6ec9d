"""The training loop: iterations, recalibration, validation, checkpoints, a clean stop."""

import hashlib
import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import torch
from torch import nn

from service.contract.checkpoints import Manifest
from service.contract.recipes import RECALIBRATED, RecipeParams
from workers.checkpoints.snapshot import Saver
from workers.data.images import ImageDataset
from workers.data.loader import Batch, train_batches
from workers.data.sampler import batches_per_epoch
from workers.mailbox import Assignment, Mailbox
from workers.recipes.loss import training_loss, wrong_in_top
from workers.recipes.optimizer import learning_rate
from workers.training.evaluate import evaluate
from workers.training.state import RunState, Window


class NonFiniteLoss(Exception):
    """The loss is no number any more; the message names the step."""


class Stopped(Exception):
    """The run was asked to stop, and has saved."""


class Trainer:
    """One attempt at a training, on one rank."""

    def __init__(
        self,
        assignment: Assignment,
        mailbox: Mailbox,
        state: RunState,
        train: ImageDataset,
        val: ImageDataset,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        stop_asked: Callable[[], bool],
    ) -> None:
        self._claim = assignment.claim
        self._params: RecipeParams = assignment.claim.spec.recipe_params
        self._mailbox, self._state = mailbox, state
        self._train, self._val = train, val
        self._now, self._new_id, self._stop_asked = now, new_id, stop_asked
        self._words: SimpleQueue[tuple[str, dict[str, Any]]] = SimpleQueue()
        self._parent = assignment.claim.resume[0].id if state.step else None
        self._volume = assignment.volume
        self._saver = Saver(
            mailbox.folder, on_published=self._published, on_failed=self._save_failed
        )
        self.total_steps = self._params.total_iters + self._recalibration_steps()

    def run(self) -> dict[str, Any]:
        """Train to the end and give the result; raises NonFiniteLoss, Stopped, InvalidData."""
        try:
            batches = train_batches(
                self._train,
                seed=self._params.seed,
                start_step=self._state.step,
                batch_size=self._params.batch_size,
                num_workers=self._params.data_workers,
            )
            began, first = self._now(), self._state.step
            while self._state.step < self.total_steps:
                self._iterate(next(batches))
                self._after_step(began, first)
            return self._finish()
        finally:
            self._saver.close()
            self._tell()

    def _recalibration_steps(self) -> int:
        if self._claim.spec.recipe not in RECALIBRATED:
            return 0
        if self._params.bn_recalibration_iters is not None:
            return self._params.bn_recalibration_iters
        return batches_per_epoch(len(self._train), self._params.batch_size)

    def _iterate(self, batch: Batch) -> None:
        state, params = self._state, self._params
        images, labels = (part.to(state.device) for part in batch)
        state.network.train()
        recalibrated = state.step + 1 - params.total_iters
        if recalibrated > 0:
            _set_momentum(state.network, 1.0 / recalibrated)
            with torch.no_grad():
                state.network(images)
            state.step += 1
            return
        for group in state.optimizer.param_groups:
            group["lr"] = learning_rate(params, state.step + 1)
        outputs = state.network(images)
        loss = training_loss(outputs, labels, params.label_smoothing)
        state.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        state.optimizer.step()
        state.step += 1
        logits = outputs if isinstance(outputs, torch.Tensor) else outputs[0]
        self._see(loss.item(), logits.detach(), labels)

    def _see(self, loss: float, logits: torch.Tensor, labels: torch.Tensor) -> None:
        if not math.isfinite(loss):
            raise NonFiniteLoss(
                f"the loss is {loss} at step {self._state.step}; try a smaller learning_rate"
            )
        window = self._state.window
        window.loss += loss
        window.wrong1 += wrong_in_top(logits, labels, 1)
        window.wrong5 += wrong_in_top(logits, labels, 5)
        window.samples += len(labels)
        window.steps += 1

    def _after_step(self, began: datetime, first: int) -> None:
        state, params = self._state, self._params
        last = state.step == self.total_steps
        trained = state.step == params.total_iters
        if state.step % params.display_interval == 0 or last or trained:
            self._show((self._now() - began).total_seconds() / (state.step - first))
        if trained or last or (state.step % params.val_interval == 0 and self._phase == "train"):
            self._validate()
        if state.step % params.save_interval == 0 or trained:
            self._save(self._phase)
        self._tell()
        if self._stop_asked() and not last:
            self._save(self._phase)
            raise Stopped

    @property
    def _phase(self) -> str:
        return "train" if self._state.step <= self._params.total_iters else "recalibrate"

    def _show(self, seconds_per_step: float) -> None:
        state = self._state
        shown = state.window.metrics() if state.window.steps else {}
        if self._phase == "train":
            shown["learning_rate"] = learning_rate(self._params, state.step)
        state.window = Window()
        body = {
            "phase": self._phase,
            "step": state.step,
            "total_steps": self.total_steps,
            "images_per_second": self._params.batch_size / max(seconds_per_step, 1e-9),
            "eta_seconds": (self.total_steps - state.step) * seconds_per_step,
            "metrics": shown,
        }
        self._mailbox.append("progress", body, self._now())

    def _validate(self) -> None:
        state = self._state
        found = evaluate(
            state.network, self._val, device=state.device, num_workers=self._params.data_workers
        )
        state.metrics = {name: found[name] for name in ("loss", "top1_error", "top5_error")}
        body = {"val_loss": found["loss"], **{k: v for k, v in found.items() if k != "loss"}}
        self._mailbox.append("metrics", {"step": state.step, "metrics": body}, self._now())

    def _save(self, phase: str) -> None:
        state = self._state
        optimizer = {} if phase == "final" else state.momentum()
        ranks = [] if phase == "final" else [state.of_rank()]
        self._saver.save(self._manifest(phase), state.network.state_dict(), optimizer, ranks)

    def _manifest(self, phase: str) -> Manifest:
        spec = self._claim.spec
        manifest = Manifest.model_validate(
            {
                "checkpoint_id": self._new_id(),
                "job_id": self._claim.job_id,
                "attempt": self._claim.attempt,
                "step": self._state.step,
                "phase": phase,
                "recipe": spec.recipe,
                "variant": spec.variant,
                "num_classes": len(self._train.class_names),
                "class_names": self._train.class_names,
                "image_size": self._params.image_size,
                "preprocessing": self._params.preprocessing,
                "spec_sha256": hashlib.sha256(spec.model_dump_json().encode()).hexdigest(),
                "world_size": 1,
                "created_at": self._now(),
                "metrics": self._state.metrics,
                "versions": {"torch": torch.__version__},
                "parent_checkpoint": self._parent,
                "files": {},
            }
        )
        self._parent = manifest.checkpoint_id
        return manifest

    def _finish(self) -> dict[str, Any]:
        self._save("final")
        final = self._parent
        error = self._saver.wait()
        if error is not None:
            raise error
        return {**self._state.metrics, "samples": len(self._val), "checkpoint_id": final}

    def _published(self, folder: Path, manifest: Manifest) -> None:
        path = str(folder.relative_to(self._volume))
        body = {"checkpoint": manifest.model_dump(mode="json"), "path": path}
        self._words.put(("checkpoint", body))

    def _save_failed(self, error: Exception) -> None:
        self._words.put(("note", {"message": f"a checkpoint could not be saved: {error}"}))

    def _tell(self) -> None:
        # The saver's thread leaves its words here: the events file has one writer.
        while True:
            try:
                kind, body = self._words.get_nowait()
            except Empty:
                return
            self._mailbox.append(kind, body, self._now())


def _set_momentum(network: nn.Module, momentum: float) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = momentum
