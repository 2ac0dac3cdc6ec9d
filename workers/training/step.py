"""One step on a device batch: forward, loss, backward and update, or a batch-norm recalibration."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from workers.networks.choices import has_choices
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams
from workers.training.batch_norm import set_momentum
from workers.training.execution import (
    ORIGINAL,
    Execution,
    autocast,
    formatted,
    forward_of,
    prepare_for,
    prepare_optimizer,
)

_INEXACT = "deterministic"
"""A word in torch's warning of a kernel that may give other bits each time."""


class TrainingStep:
    """The arithmetic of a training step on batches that are on the network's device.

    A batch is worked through in as many equal parts as the parameters say, for one update: its
    size is a multiple of them.

    The network and its optimizer are laid out for the execution, in place. `forward` is what is
    called for the outputs, such as the network in parallel with other ranks; left out, the network
    as the execution has it. `note` is called with a sentence where a kernel is not exact.
    """

    def __init__(
        self,
        recipe: Recipe,
        params: RecipeParams,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        execution: Execution = ORIGINAL,
        *,
        forward: nn.Module | None = None,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._recipe, self._params = recipe, params
        self._network, self._optimizer = network, optimizer
        self._device = next(network.parameters()).device
        self.execution = execution
        prepare_for(network, execution)
        # The fused update wants all momenta or none: a supernet has some of them at first.
        fused = execution.fused and not has_choices(network)
        prepare_optimizer(optimizer, replace(execution, fused=fused))
        self._forward = forward_of(network, self._device, execution) if forward is None else forward
        self._note = note
        self._is_first = True

    def train(self, iteration: int, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Update the weights by one batch; gives the loss () and the logits (N, classes).

        `iteration` is 1 … total_iters, `inputs` (N, 3, S, S), `labels` (N,).
        """
        if not self._is_first:
            return self._train(iteration, inputs, labels)
        self._is_first = False
        with _inexact_kernels_noted(self._note):
            return self._train(iteration, inputs, labels)

    def recalibrate(self, batches_seen: int, inputs: Tensor) -> None:
        """Take the statistics of batch norm as the mean over batches; weights stay as they are.

        `batches_seen` counts the batches of the recalibration, this one included. Of a batch that
        is worked through in parts, each part counts as one.
        """
        self._network.train()
        parts = self._params.accumulate
        for number, part in enumerate(inputs.chunk(parts), (batches_seen - 1) * parts + 1):
            set_momentum(self._network, 1.0 / number)
            with torch.no_grad(), autocast(self._device, self.execution):
                self._network(formatted(part, self.execution))

    def _train(self, iteration: int, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        self._network.train()
        self._recipe.take_path_of_step(self._network, self._params, iteration)
        for group in self._optimizer.param_groups:
            group["lr"] = self._recipe.learning_rate(self._params, iteration)
        count = self._params.accumulate
        parts = zip(inputs.chunk(count), labels.chunk(count), strict=True)
        losses, logits = [], []
        for number, (images, classes) in enumerate(parts, 1):
            with self._exchange_of(is_last=number == count):
                outputs = self._outputs(formatted(images, self.execution))
                loss = self._recipe.training_loss(outputs, classes, self._params) / count
                if number == 1:
                    self._optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
            logits.append((outputs if isinstance(outputs, Tensor) else outputs[0]).detach())
        self._optimizer.step()
        return torch.stack(losses).sum(), torch.cat(logits)

    def _exchange_of(self, *, is_last: bool) -> AbstractContextManager[None]:
        """The context of a part: several ranks average their gradients once, with the last one."""
        if is_last or not isinstance(self._forward, DistributedDataParallel):
            return nullcontext()
        return self._forward.no_sync()

    def _outputs(self, inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        if self.execution.compiled:
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        with autocast(self._device, self.execution):
            outputs: Tensor | tuple[Tensor, ...] = self._forward(inputs)
        if self.execution.precision == "fp32":
            return outputs
        # The loss is summed in full precision.
        return outputs.float() if isinstance(outputs, Tensor) else tuple(o.float() for o in outputs)


@contextmanager
def _inexact_kernels_noted(note: Callable[[str], None]) -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    inexact = [str(w.message) for w in caught if _INEXACT in str(w.message)]
    for other in caught:
        if _INEXACT not in str(other.message):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    if inexact:
        kernels = ", ".join(sorted({text.split(" ")[0] for text in inexact}))
        note(f"{kernels}: no exact kernel on this device, so a resumed run may differ in last bits")
