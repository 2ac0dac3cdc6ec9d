"""The training loop: iterations, recalibration, validation, checkpoints, a clean stop."""

from typing import Any, NoReturn

from workers.data.batch_transform import transform_of
from workers.data.images import ImageDataset
from workers.data.loader import LoadedBatch
from workers.data.sampler import batches_per_epoch
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams
from workers.training.attempt_results import Stopped
from workers.training.batches_of_run import batches_of_run
from workers.training.checkpoint_publisher import CheckpointPublisher
from workers.training.data_wait import data_wait_of
from workers.training.data_wait_advice import advice_of
from workers.training.device_inputs import to_inputs_on
from workers.training.eval_batches import eval_batch_size
from workers.training.evaluate import evaluate
from workers.training.execution import format_of, validation_execution
from workers.training.fitting_batch import call_within_memory
from workers.training.loader_processes import loader_processes, room_for_processes
from workers.training.non_finite import SMALLER_RATE, NonFiniteLoss, require_finite_loss
from workers.training.path_validation import PathValidation
from workers.training.preprocessing import decoder_of
from workers.training.progress import Pace, Window, progress_line, validation_line
from workers.training.run_context import RunContext
from workers.training.state import RunState
from workers.training.step_of_run import training_step_of


def total_steps(recipe: Recipe, params: RecipeParams, train_images: int) -> int:
    """Iterations, and the steps of batch-norm recalibration after them.

    Raises InvalidData if the data set is smaller than a batch.
    """
    per_epoch = batches_per_epoch(train_images, params.batch_size)
    if not recipe.recalibrates_batch_norm:
        return params.total_iters
    recalibration = params.bn_recalibration_iters
    return params.total_iters + (per_epoch if recalibration is None else recalibration)


class Trainer:
    """One rank's part in one attempt at a training."""

    def __init__(
        self,
        context: RunContext,
        state: RunState,
        publisher: CheckpointPublisher,
        train: ImageDataset,
        val: ImageDataset,
    ) -> None:
        self._recipe, self._params = context.recipe, context.params
        self._state, self._ranks = state, context.ranks
        self._events, self._publisher = context.events, publisher
        self._times = context.times
        self._data_wait = data_wait_of(context.ranks.device, context.times, "step")
        self._train, self._val = train, val
        self._decoder = decoder_of(self._params, train, state.device)
        self._to_inputs = to_inputs_on(state.device, transform_of(train), self._decoder)
        self._stop_asked, self._note_first_step = context.stop_asked, context.note_first_step
        self._total = total_steps(self._recipe, self._params, len(train))
        share = self._ranks.share_of(self._params.batch_size)
        self._loaders = self._loader_processes(train, share)
        room = room_for_processes(
            self._params, train, batch_size=share, world_size=self._ranks.world_size
        )
        self._data_wait_advice = advice_of(context, self._loaders, room)
        self._step = training_step_of(context, state)
        self._paths = PathValidation(context, state, train) if self._recipe.paths else None
        self._pace = Pace(state.step, self._total, self._params.batch_size, context.clock)

    def run(self) -> dict[str, Any]:
        """Train to the end and give the result.

        Raises NonFiniteLoss, Stopped, InvalidData, CheckpointsNotSaved.
        """
        try:
            batches = batches_of_run(
                self._params,
                self._train,
                self._ranks,
                start_step=self._state.step,
                num_workers=self._loaders,
                leave_files=self._decoder is not None,
            )
            first = self._state.step
            if first and self._validates and not self._state.metrics:
                # The checkpoint was saved when a stop cut this validation short.
                self._validate()
            with self._times.on("step"):
                while self._state.step < self._total:
                    asked = self._stop_asked() and self._state.step > first
                    with self._data_wait.measured():
                        batch = None if asked else next(batches)
                        # After the batch: a rank whose data fails breaks this exchange, no later.
                        stops = self._ranks.any(asked)
                    if stops:
                        self._stop()
                    assert batch is not None
                    self._iterate(batch)
                    if self._state.step == first + 1:
                        self._note_first_step()
                    self._after_step()
            return self._finish()
        finally:
            self._publisher.close()

    def _iterate(self, batch: LoadedBatch) -> None:
        state = self._state
        images, labels = self._to_inputs(batch, format_of(state.execution))
        state.metrics = {}
        recalibrated = state.step + 1 - self._params.total_iters
        if recalibrated > 0:
            self._step.recalibrate(recalibrated, images)
            state.step += 1
            return
        part = images[: len(images) // self._params.accumulate]
        loss, logits = call_within_memory(
            lambda: self._step.train(state.step + 1, images, labels),
            state.network,
            part,
            self._ranks.world_size,
        )
        state.step += 1
        state.window.add(loss, logits, labels)

    def _after_step(self) -> None:
        state, params = self._state, self._params
        if state.step % params.display_interval == 0 or self._ends_a_phase:
            self._show()
        if self._validates:
            self._validate()
        if state.step % params.save_interval == 0 or state.step == params.total_iters:
            self._require_finite_loss()
            with self._times.on("save"):
                self._publisher.save_in_passing(self._phase)
        self._publisher.require_saves()
        self._events.pulse()

    @property
    def _ends_a_phase(self) -> bool:
        return self._state.step in (self._params.total_iters, self._total)

    @property
    def _validates(self) -> bool:
        due = self._state.step % self._params.val_interval == 0 and self._phase == "train"
        return due or self._ends_a_phase

    @property
    def _phase(self) -> str:
        return "train" if self._state.step <= self._params.total_iters else "recalibrate"

    def _show(self) -> None:
        self._require_finite_loss()
        state = self._state
        metrics = state.window.metrics(self._ranks)
        if self._phase == "train":
            metrics["learning_rate"] = self._recipe.learning_rate(self._params, state.step)
        state.window = Window()
        position = {"phase": self._phase, "step": state.step, "total_steps": self._total}
        body = {**position, **self._pace.at(state.step), "metrics": metrics} | self._time_spent()
        self._pace.mark(state.step)
        self._events.report("progress", body, progress_line(body))
        advice = self._data_wait_advice.after(self._times.spent())
        if advice is not None:
            self._events.note(advice)

    def _time_spent(self) -> dict[str, Any]:
        self._data_wait.settle()
        return {"time_spent": self._times.spent().model_dump()}

    def _validate(self) -> None:
        self._require_finite_loss()
        with self._times.on("validation"):
            measured = self._evaluated()
        step = self._state.step
        self._pace.mark(step)
        self._state.metrics = {
            name: measured[name] for name in ("loss", "top1_error", "top5_error")
        }
        metrics = {"val_loss": measured["loss"]} | {
            name: value for name, value in measured.items() if name != "loss"
        }
        body = {"step": step, "metrics": metrics} | self._time_spent()
        self._events.report("metrics", body, validation_line(step, measured))

    def _evaluated(self) -> dict[str, float]:
        if self._paths is None:
            return self._evaluated_once()
        try:
            return self._paths.measured(self._evaluated_once)
        except Stopped:
            self._stop()

    def _evaluated_once(self) -> dict[str, float]:
        state = self._state
        batch_size = eval_batch_size(state.device, self._params.image_size)
        try:
            return evaluate(
                state.network,
                self._val,
                self._ranks,
                batch_size=batch_size,
                num_workers=self._loader_processes(self._val, batch_size),
                stop_asked=self._stop_asked,
                pulse=self._events.pulse,
                execution=validation_execution(state.execution),
            )
        except Stopped:
            if self._paths is not None:
                raise
            self._stop()
        except NonFiniteLoss as error:
            raise NonFiniteLoss(f"{error}, at step {state.step}; {SMALLER_RATE}") from None

    def _loader_processes(self, images: ImageDataset, batch_size: int) -> int:
        world_size = self._ranks.world_size
        return loader_processes(self._params, images, batch_size=batch_size, world_size=world_size)

    def _save_last(self, phase: str) -> Exception | None:
        """Save and wait for it; gives the error of the save."""
        self._require_finite_loss()
        self._data_wait.settle()
        with self._times.on("save"):
            self._publisher.save(phase)
            return self._publisher.wait()

    def _require_finite_loss(self) -> None:
        # At the steps that wait for the device anyway, and before anything is saved.
        where = f"by step {self._state.step}; {SMALLER_RATE}"
        require_finite_loss(self._state.window.loss, where)

    def _stop(self) -> NoReturn:
        error = self._save_last(self._phase)
        step = self._state.step
        raise Stopped(
            f"stopped at step {step} with a checkpoint, as asked"
            if error is None
            else f"stopped at step {step}, as asked, but its checkpoint failed: {error}"
        )

    def _finish(self) -> dict[str, Any]:
        error = self._save_last("final")
        if error is not None:
            raise error
        samples = len(self._val)
        return {**self._state.metrics, "samples": samples, "checkpoint_id": self._publisher.newest}
