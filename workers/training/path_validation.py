"""Whether a supernet is learning: the errors of some paths, each with statistics of its own."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from statistics import fmean

from torch import Tensor

from workers.data.batch_transform import transform_of
from workers.data.images import ImageDataset
from workers.training.attempt_results import Stopped
from workers.training.batches_of_run import batches_of_run
from workers.training.device_inputs import to_inputs_on
from workers.training.execution import format_of, formatted, validation_execution
from workers.training.learning_check import error_by_chance, is_at_chance
from workers.training.recalibration import recalibrate, statistics_kept
from workers.training.run_context import RunContext
from workers.training.state import RunState

_MOST_IMAGES = 128
"""In a batch of a recalibration, as published."""

Measured = dict[str, float]


class PathValidation:
    """Measures the paths of a validation on training images for their statistics.

    The images are the same in each validation, and every rank computes all of them: so the
    statistics do not depend on the number of ranks. The network is left as it was.
    """

    def __init__(self, context: RunContext, state: RunState, train: ImageDataset) -> None:
        self._context, self._state, self._train = context, state, train
        self._is_told = False

    def measured(self, evaluate: Callable[[], Measured]) -> Measured:
        """The mean over the paths of what `evaluate` gives for each; raises Stopped.

        A supernet that has learnt nothing when it should have is told to the user, once.
        """
        recipe, params, network = self._context.recipe, self._context.params, self._state.network
        paths, training = recipe.paths_of_validation(params), network.training
        found = []
        try:
            with statistics_kept(network):
                for path in paths:
                    recipe.take_path(network, path)
                    with closing(self._batches()) as batches:
                        recalibrate(network, batches, "cumulative")
                    found.append(evaluate())
        finally:
            network.train(training)
        mean = {name: fmean(each[name] for each in found) for name in found[0]}
        self._note_guesses(mean["top1_error"], int(found[0]["samples"]))
        return mean | {"samples": found[0]["samples"]}

    def _note_guesses(self, error: float, images: int) -> None:
        classes, step = len(self._train.class_names), self._state.step
        if self._is_told or not is_at_chance(error, classes, images):
            return
        advice = self._context.recipe.advice(self._context.params, step)
        if advice is not None:
            self._is_told = True
            self._context.events.note(
                f"the supernet has learnt nothing by step {step}: the mean error of its validated "
                f"paths is {error:.3f}, and guesses have {error_by_chance(classes):.3f}; {advice}"
            )

    def _batches(self) -> Generator[Tensor]:
        """The first batches of the training's order, as inputs on the device."""
        context, device = self._context, self._state.device
        execution = validation_execution(self._state.execution)
        size = min(context.params.batch_size, _MOST_IMAGES)
        to_inputs = to_inputs_on(device, transform_of(self._train))
        batches = batches_of_run(
            context.params.model_copy(update={"batch_size": size}),
            self._train,
            replace(context.ranks, rank=0, world_size=1),
            start_step=0,
            num_workers=0,
            leave_files=False,
        )
        for batch in islice(batches, context.recipe.recalibration_batches(context.params)):
            if context.ranks.any(context.stop_asked()):
                raise Stopped("stopped in a validation, as asked")
            context.events.pulse()
            yield formatted(to_inputs(batch, format_of(execution))[0], execution)
