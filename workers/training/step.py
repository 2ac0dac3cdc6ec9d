"""One step on a device batch: forward, loss, backward and update, or a batch-norm recalibration."""

import torch
from torch import Tensor, nn

from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams
from workers.training.batch_norm import set_momentum


class TrainingStep:
    """The arithmetic of a training step on batches that are on the network's device.

    `parallel` is the network whose backward averages gradients over the ranks; left out, the
    network itself.
    """

    def __init__(
        self,
        recipe: Recipe,
        params: RecipeParams,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        parallel: nn.Module | None = None,
    ) -> None:
        self._recipe, self._params = recipe, params
        self._network, self._optimizer = network, optimizer
        self._parallel = network if parallel is None else parallel

    def train(self, iteration: int, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Update the weights by one batch; gives the loss () and the logits (N, classes).

        `iteration` is 1 … total_iters, `inputs` (N, 3, S, S), `labels` (N,).
        """
        self._network.train()
        for group in self._optimizer.param_groups:
            group["lr"] = self._recipe.learning_rate(self._params, iteration)
        outputs = self._parallel(inputs)
        loss = self._recipe.training_loss(outputs, labels, self._params)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        logits = outputs if isinstance(outputs, Tensor) else outputs[0]
        return loss.detach(), logits.detach()

    def recalibrate(self, batches_seen: int, inputs: Tensor) -> None:
        """Take the statistics of batch norm as the mean over batches; weights stay as they are.

        `batches_seen` counts the batches of the recalibration, this one included.
        """
        self._network.train()
        set_momentum(self._network, 1.0 / batches_seen)
        with torch.no_grad():
            self._network(inputs)
