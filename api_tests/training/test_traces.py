"""The loss and the optimizer give the losses of the published loops."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from service.contract.recipes import PARAMS
from workers.models import build
from workers.recipes.loss import training_loss
from workers.recipes.optimizer import learning_rate, sgd

_TRACES = json.loads((Path(__file__).parents[1] / "facts" / "training_traces.json").read_text())


def _fill(network: torch.nn.Module) -> None:
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            u = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
            drawn = torch.from_numpy(u.random(tensor.numel())).view(tensor.shape)
            if name.endswith("num_batches_tracked"):
                tensor.zero_()
            elif name.endswith("running_var") or (tensor.dim() == 1 and name.endswith(".weight")):
                tensor.copy_(0.75 + 0.5 * drawn)
            elif tensor.dim() == 4:
                fan_in = tensor[0].numel()
                tensor.copy_((drawn - 0.5) * 2 * 3**0.5 * (2 / fan_in) ** 0.5)
            else:
                tensor.copy_((drawn - 0.5) * (0.02 if tensor.dim() == 2 else 0.2))


@pytest.mark.parametrize("name", sorted(_TRACES["traces"]))
def test_the_first_iterations_give_the_published_losses(name: str) -> None:
    recipe, variant = name.split()
    params = PARAMS[recipe](total_iters=_TRACES["total_iters"], learning_rate=0.01)
    network = build(recipe, variant, dropout=0.0).double().train()
    _fill(network)
    optimizer = sgd(network, params)
    images = (np.random.Generator(np.random.PCG64(1)).random((3, 4, 3, 224, 224)) - 0.5) * 2
    labels = np.random.Generator(np.random.PCG64(2)).integers(0, 1000, (3, 4))
    for step, expected in enumerate(_TRACES["traces"][name]["steps"], start=1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(params, step)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected["lr"], rel=1e-12)
        outputs = network(torch.from_numpy(images[step - 1]))
        loss = training_loss(outputs, torch.from_numpy(labels[step - 1]), params.label_smoothing)
        assert loss.item() == pytest.approx(expected["loss"], rel=1e-9)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    state = network.state_dict()
    for key, total in _TRACES["traces"][name]["checksum"].items():
        assert state[key].abs().sum().item() == pytest.approx(total, rel=1e-9)
