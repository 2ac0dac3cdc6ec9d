"""The batches by which every candidate of a search is measured: the same images for each."""

import math
from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from service.contract.search_params import SearchParams
from workers.data.batch_transform import transform_of
from workers.data.errors import InvalidData
from workers.data.images import ImageDataset
from workers.data.loader import Batch, val_batches
from workers.data.views import view_of
from workers.recipes.params import RecipeParams
from workers.search.kept_batches import KeptBatches
from workers.training.attempt_results import Stopped
from workers.training.batches_of_run import batches_of_run
from workers.training.device_inputs import ToInputs, is_pinned_for, to_inputs_on
from workers.training.eval_batches import eval_batch_size
from workers.training.execution import Execution, format_of
from workers.training.loader_processes import loader_processes
from workers.training.run_context import RunContext

_KEPT_BYTES = 1 << 30
"""Of training images, and as much of those of the fitness, by all ranks together."""
_LOOK_SECONDS = 1.0


class SearchBatches:
    """Training batches for the statistics, and the images by which a candidate is judged.

    The order and the cuts of the training images `train` depend on the seed of the supernet's
    training alone. Of `images` at most `fitness_images` are seen, evenly spread over all. Every
    rank has all of them. Raises InvalidData if there are too few training images for a batch.
    """

    def __init__(
        self,
        context: RunContext,
        params: SearchParams,
        training: RecipeParams,
        *,
        train: ImageDataset,
        images: ImageDataset,
        execution: Execution,
    ) -> None:
        self._context, self._execution = context, execution
        self._train, self._images = train, evenly(images, params.fitness_images)
        self._looked_at = -math.inf
        size = params.recalibration_batch_size
        if size > len(train):
            raise InvalidData(
                f"recalibration_batch_size {size} is more than the {len(train)} training images: "
                f"use at most {len(train)}"
            )
        self._training = training.model_copy(update={"batch_size": size})
        self._eval_size = eval_batch_size(context.ranks.device, training.image_size)
        shown = -(-len(self._images) // self._eval_size)
        kept_bytes = _KEPT_BYTES // context.ranks.world_size
        self._recalibration = KeptBatches(
            self._training_batches, params.recalibration_batches, kept_bytes
        )
        self._labelled = KeptBatches(self._image_batches, shown, kept_bytes)
        # Once: each has a stream of the device for its copies.
        self._to_training_inputs = self._to_inputs_of(self._train)
        self._to_fitness_inputs = self._to_inputs_of(self._images)
        self.images_of_candidate = params.recalibration_batches * size + len(self._images)

    def recalibration(self) -> Iterator[Tensor]:
        """Inputs (N, 3, S, S) on the device; raises Stopped around each, at every rank."""
        for inputs, _ in self._inputs(self._recalibration, self._to_training_inputs):
            yield inputs

    def labelled(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs and their labels (N,) on the device; raises Stopped around each batch."""
        yield from self._inputs(self._labelled, self._to_fitness_inputs)

    def goes_on(self) -> bool:
        """To be asked every few seconds; once asked to stop False: the next batch raises Stopped.

        What is computed of the present batch is then of no use.
        """
        now = self._context.clock()
        if now >= self._looked_at + _LOOK_SECONDS:
            self._looked_at = now
            self._context.events.pulse()
        return not self._context.stop_asked()

    def _to_inputs_of(self, images: ImageDataset) -> ToInputs:
        return to_inputs_on(self._context.ranks.device, transform_of(images))

    def _inputs(self, batches: KeptBatches, to_inputs: ToInputs) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in batches:
            self._stop_together()
            inputs, labels = to_inputs(batch, format_of(self._execution))
            yield inputs.contiguous(memory_format=format_of(self._execution)), labels
        self._stop_together()

    def _stop_together(self) -> None:
        if self._context.ranks.any(not self.goes_on()):
            raise Stopped(
                "stopped in a search, as asked; what was measured is kept, and it goes on there"
            )

    def _training_batches(self, start: int) -> Iterator[Batch]:
        size = self._training.batch_size
        batches = batches_of_run(
            self._training,
            self._train,
            replace(self._context.ranks, rank=0, world_size=1),
            start_step=start,
            num_workers=self._loaders(self._train, size),
            leave_files=False,
        )
        for batch in batches:
            assert isinstance(batch, Batch), "no files are left to a decoder"
            yield batch

    def _image_batches(self, start: int) -> Iterator[Batch]:
        size = self._eval_size
        rest = range(start * size, len(self._images))
        return val_batches(
            _selected(self._images, rest),
            batch_size=size,
            num_workers=self._loaders(self._images, size),
            pinned=is_pinned_for(self._context.ranks.device),
        )

    def _loaders(self, images: ImageDataset, size: int) -> int:
        world_size = self._context.ranks.world_size
        return loader_processes(self._training, images, batch_size=size, world_size=world_size)


def evenly(images: ImageDataset, most: int) -> ImageDataset:
    """At most so many of the images, evenly spread: they may be sorted by class."""
    if len(images) <= most:
        return images
    return _selected(images, [index * len(images) // most for index in range(most)])


def _selected(images: ImageDataset, indices: "range | list[int]") -> ImageDataset:
    return view_of(images, indices, images.class_names, range(len(images.class_names)))
