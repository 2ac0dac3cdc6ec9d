"""In which precision and memory format an eval computes, and a validation."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from workers.recipes.params import RecipeParams
from workers.training import execution as executions
from workers.training.eval_execution import prepare_eval
from workers.training.execution import Execution, MemoryFormat, format_of, validation_execution


class _ViewsFeatures(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.conv(images)
        return features.view(len(images), -1) + 1


LAST: MemoryFormat = "channels_last"
CONTIGUOUS: MemoryFormat = "contiguous"


@pytest.mark.parametrize(
    ("network", "named", "expected"),
    [
        (nn.Conv2d(3, 8, 3), {}, Execution("fp32", LAST)),
        (_ViewsFeatures(), {}, Execution("fp32", CONTIGUOUS)),
        (nn.Conv2d(3, 8, 3), {"memory_format": CONTIGUOUS}, Execution("fp32", CONTIGUOUS)),
        (nn.Conv2d(3, 8, 3), {"parity": True}, Execution("fp32", CONTIGUOUS)),
        (nn.Conv2d(3, 8, 3), {"precision": "bf16"}, Execution("bf16", LAST)),
    ],
    ids=["auto", "a network that needs contiguous features", "a format", "parity", "a precision"],
)
def test_an_eval_computes_as_its_parameters_name_it_and_else_in_fp32(
    monkeypatch: pytest.MonkeyPatch, network: nn.Module, named: Any, expected: Execution
) -> None:
    monkeypatch.setattr(executions, "computes_bf16", lambda _: True)
    params = RecipeParams(image_size=32, **named)
    execution = prepare_eval(network, params, torch.device("cpu"))
    assert execution == expected
    weight = next(parameter for parameter in network.parameters() if parameter.dim() == 4)
    assert weight.is_contiguous(memory_format=format_of(expected))
    network(torch.zeros(1, 3, 32, 32))


def test_a_training_is_validated_in_fp32_and_the_format_of_its_weights() -> None:
    training = Execution("bf16", LAST, compiled=True, fused=True)
    assert validation_execution(training) == Execution("fp32", LAST)
