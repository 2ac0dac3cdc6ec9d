"""The original's loop does the same work as ours: what is compared for speed is equal in result."""

import pytest
import torch
from torch import nn

from benchmarks.original_loop import OriginalLoop, OriginalUnit, original_network
from workers.recipes.loss import training_loss
from workers.recipes.optimizer import learning_rate, sgd
from workers.recipes.table import recipe_named

CPU = torch.device("cpu")


# The original moves its schedule first, which torch warns of.
@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize(
    ("recipe", "variant"), [("oneshot", "searched"), ("shufflenet_v2", "0.5x")]
)
def test_the_original_loop_has_the_losses_of_the_recipe(recipe: str, variant: str) -> None:
    entry = recipe_named(recipe)
    params = entry.params(dropout=0.0, batch_size=4, total_iters=10, learning_rate=0.01)
    torch.manual_seed(1)
    original = original_network(recipe, variant, params)
    ours = entry.build(variant, 1000, params).train()
    ours.load_state_dict(original.state_dict())
    assert any(isinstance(module, OriginalUnit) for module in original.modules())
    loop, optimizer = OriginalLoop(original, params, CPU), sgd(ours, params)
    for step in (1, 2):
        images, labels = torch.rand(4, 3, 64, 64) * 255, torch.randint(0, 1000, (4,))
        expected = _step(ours, optimizer, learning_rate(params, step), images, labels)
        torch.testing.assert_close(loop.step(images, labels), expected, rtol=1e-5, atol=1e-5)


def _step(
    network: nn.Module,
    optimizer: torch.optim.SGD,
    rate: float,
    images: torch.Tensor,
    labels: torch.Tensor,
) -> torch.Tensor:
    for group in optimizer.param_groups:
        group["lr"] = rate
    loss = training_loss(network(images), labels, recipe_named("oneshot").params())
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.detach()
