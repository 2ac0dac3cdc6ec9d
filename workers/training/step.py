"""One step on a device batch: forward, loss, backward and update, or a batch-norm recalibration."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from workers.data.errors import InvalidData
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


class NotCompiled(InvalidData):
    """`torch.compile` refused the network on this worker."""


class TrainingStep:
    """The arithmetic of a training step on batches that are on the network's device.

    The network and its optimizer are laid out for the execution, in place. `parallel` is the
    network whose backward averages gradients over the ranks, laid out and compiled already; left
    out, the network itself. `note` is told, in a sentence, where a kernel is not exact and
    where eager replaces what does not compile; without `may_fall_back` that is NotCompiled.
    """

    def __init__(
        self,
        recipe: Recipe,
        params: RecipeParams,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        execution: Execution = ORIGINAL,
        *,
        parallel: nn.Module | None = None,
        may_fall_back: bool = False,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._recipe, self._params = recipe, params
        self._network, self._optimizer = network, optimizer
        self._device = next(network.parameters()).device
        self.execution = execution
        prepare_for(network, execution)
        prepare_optimizer(optimizer, execution)
        self._forward = (
            forward_of(network, self._device, execution) if parallel is None else parallel
        )
        self._may_fall_back, self._note = parallel is None and may_fall_back, note
        self._is_first = True

    def train(self, iteration: int, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Update the weights by one batch; gives the loss () and the logits (N, classes).

        `iteration` is 1 … total_iters, `inputs` (N, 3, S, S), `labels` (N,). Raises NotCompiled.
        """
        if not self._is_first:
            return self._train(iteration, inputs, labels)
        self._is_first = False
        try:
            with _inexact_kernels_noted(self._note):
                return self._train(iteration, inputs, labels)
        except Exception as error:
            if not self._is_of_compiler(error):
                raise
            raise NotCompiled(
                f"the network does not compile here: {first_line(error)}; compile off avoids it"
            ) from error

    def recalibrate(self, batches_seen: int, inputs: Tensor) -> None:
        """Take the statistics of batch norm as the mean over batches; weights stay as they are.

        `batches_seen` counts the batches of the recalibration, this one included.
        """
        self._network.train()
        set_momentum(self._network, 1.0 / batches_seen)
        with torch.no_grad(), autocast(self._device, self.execution):
            self._network(formatted(inputs, self.execution))

    def _train(self, iteration: int, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        self._network.train()
        for group in self._optimizer.param_groups:
            group["lr"] = self._recipe.learning_rate(self._params, iteration)
        outputs = self._outputs(formatted(inputs, self.execution))
        loss = self._recipe.training_loss(outputs, labels, self._params)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        logits = outputs if isinstance(outputs, Tensor) else outputs[0]
        return loss.detach(), logits.detach()

    def _outputs(self, inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        if self.execution.compiled:
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        with autocast(self._device, self.execution):
            outputs = self._called(inputs)
        if self.execution.precision == "fp32":
            return outputs
        # The loss is summed in full precision.
        return outputs.float() if isinstance(outputs, Tensor) else tuple(o.float() for o in outputs)

    def _called(self, inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        outputs: Tensor | tuple[Tensor, ...]
        try:
            outputs = self._forward(inputs)
        except Exception as error:
            if not (self._may_fall_back and self._is_of_compiler(error)):
                raise
            # Nothing has run yet where compiling failed: statistics and generators are as before.
            self._note(
                f"the network does not compile here: {first_line(error)}; the run goes on eager, "
                "and not exactly where it was compiled"
            )
            self.execution = replace(self.execution, compiled=False)
            self._forward = self._network
            outputs = self._forward(inputs)
        return outputs

    def _is_of_compiler(self, error: Exception) -> bool:
        if not self.execution.compiled:
            return False
        from torch._dynamo.exc import TorchDynamoException

        return isinstance(error, TorchDynamoException)


def first_line(error: Exception) -> str:
    """The first line of an error's message, or its type where it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]


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
