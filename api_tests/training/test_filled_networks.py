"""Weights from elsewhere fill the network of an eval."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from torch import nn

from api_tests.support.attempts import attempt, train_spec
from workers.checkpoints.state_dicts import StateDict
from workers.checkpoints.upstream import UnreadableWeights
from workers.networks.heads import Heads
from workers.training.events import Events
from workers.training.weights import Weights, fill_for_eval


class _WithAuxiliaryHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.predict = nn.Linear(4, 2)
        self.fc = nn.Linear(4, 2)


def test_weights_without_the_heads_that_only_training_uses_fill_a_network_for_an_eval(
    tmp_path: Path,
) -> None:
    heads = Heads("fc", {"predict": "predict"})
    published = {
        name: tensor
        for name, tensor in _WithAuxiliaryHead().state_dict().items()
        if not name.startswith("predict.")
    }
    weights = Weights("large.pth", [StateDict("", published)], None, ())
    network = _WithAuxiliaryHead()
    attempt_dir = attempt(tmp_path, spec=train_spec())
    events = Events(attempt_dir, lambda: datetime(2026, 1, 1, tzinfo=UTC), writes=False)
    fill_for_eval(network, weights, ("cat", "dog"), heads, events)
    events.close()
    filled = network.state_dict()
    assert all(torch.equal(filled[name], tensor) for name, tensor in published.items())


def test_a_file_of_whole_numbers_fills_no_network(tmp_path: Path) -> None:
    network = _WithAuxiliaryHead()
    whole = {name: tensor.int() for name, tensor in network.state_dict().items()}
    weights = Weights("int32.pth", [StateDict("", whole)], None, ())
    attempt_dir = attempt(tmp_path, spec=train_spec())
    events = Events(attempt_dir, lambda: datetime(2026, 1, 1, tzinfo=UTC), writes=False)
    with pytest.raises(UnreadableWeights, match=r"torch\.int32, where the network has fractions"):
        fill_for_eval(network, weights, ("cat", "dog"), Heads("fc"), events)
    events.close()
