"""The loss and the optimizer give the losses of the published loops."""

import numpy as np
import pytest
import torch

from api_tests.facts.published import TRACES, fill, uniform
from service.contract.recipes import PARAMS
from workers.models import build
from workers.recipes.loss import training_loss
from workers.recipes.optimizer import learning_rate, sgd


@pytest.mark.parametrize("name", sorted(TRACES["traces"]))
def test_the_first_iterations_give_the_published_losses(name: str) -> None:
    recipe, variant = name.split()
    params = PARAMS[recipe](total_iters=TRACES["total_iters"], learning_rate=0.01)
    network = build(recipe, variant, dropout=0.0).double().train()
    fill(network)
    optimizer = sgd(network, params)
    assert [len(group["params"]) for group in optimizer.param_groups] == [
        TRACES["traces"][name]["decayed_tensors"],
        TRACES["traces"][name]["undecayed_tensors"],
    ]
    images = uniform(1, 3, 4, 3, 224, 224)
    labels = np.random.Generator(np.random.PCG64(2)).integers(0, 1000, (3, 4))
    for step, expected in enumerate(TRACES["traces"][name]["steps"], start=1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(params, step)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected["lr"], rel=1e-12)
        outputs = network(images[step - 1])
        loss = training_loss(outputs, torch.from_numpy(labels[step - 1]), params.label_smoothing)
        assert loss.item() == pytest.approx(expected["loss"], rel=1e-9)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    state = network.state_dict()
    for key, total in TRACES["traces"][name]["checksum"].items():
        assert state[key].abs().sum().item() == pytest.approx(total, rel=1e-9)
