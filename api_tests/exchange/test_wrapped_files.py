"""Files as other programs write them: weights under any keys and prefixes, beside anything."""

import argparse
import pathlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from api_tests.support.originals import OriginalRun, imported, network_of, prefixed
from service.contract.exchange import ImportRequest
from workers.exchange.errors import ImportRefused
from workers.exchange.imports import ImportedWeights, import_file

Tensors = dict[str, Tensor]


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    return dict(network_of("shufflenet_v2").state_dict())


def _read(root: Path, content: Any, name: str = "weights.pth", **request: Any) -> ImportedWeights:
    torch.save(content, root / name)
    return import_file(ImportRequest(file=name, **request), root)


def _under(prefix: str, tensors: Tensors) -> Tensors:
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


def _compiled_below(tensors: Tensors) -> Tensors:
    return {name.replace("features.", "features._orig_mod."): t for name, t in tensors.items()}


def _profiled(tensors: Tensors) -> Tensors:
    added = {"total_ops": torch.zeros(1), "features.0.total_params": torch.zeros(1)}
    return tensors | added | {"conv_last._extra_state": torch.zeros(1)}


WRAPPED: dict[str, Callable[[Tensors], Any]] = {
    "torch.compile": lambda t: _under("_orig_mod.", t),
    "torch.compile within DDP": lambda t: _under("module._orig_mod.", t),
    "torch.compile of a part": _compiled_below,
    "DDP twice": lambda t: _under("module.module.", t),
    "a module around it": lambda t: {"state_dict": _under("model.", t)},
    "FSDP": lambda t: _under("_fsdp_wrapped_module.", t),
    "model": lambda t: {"model": t, "epoch": 3},
    "net": lambda t: {"net": t, "acc": 91.5, "epoch": 3},
    "model_state": lambda t: {"model_state": t},
    "model_state_dict": lambda t: {"model_state_dict": t, "loss": 0.5},
    "a key of its own": lambda t: {"my_weights": OrderedDict(t), "when": "today"},
    "two keys": lambda t: {"checkpoint": {"state_dict": t}},
    "DeepSpeed": lambda t: {"module": t, "global_step": 7, "dp_world_size": 1},
    "values among the tensors": lambda t: t | {"epoch": 3, "best": 0.5},
    "thop": _profiled,
    "Lightning": lambda t: {
        "state_dict": _under("model.", t) | {"criterion.weight": torch.ones(5)},
        "callbacks": {"EarlyStopping": {"best_score": torch.tensor(1.0)}},
        "optimizer_states": [],
    },
    "AveragedModel": lambda t: _under("module.", t) | {"n_averaged": torch.tensor(3)},
    "torchvision": lambda t: {
        "model": prefixed(t),
        "args": argparse.Namespace(lr=0.1, output_dir=pathlib.Path("out")),
    },
    "mmpretrain": lambda t: {"meta": {"time": "now"}, "state_dict": t, "message_hub": {}},
    "numbers of numpy": lambda t: {
        "state_dict": t,
        "best": np.float64(0.5),
        "curve": np.arange(3),
        "type": np.dtype("float32"),
        "by_class": defaultdict(list, {"cat": [1]}),
    },
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_an_import_finds_the_weights_in_what_a_program_wrapped_them_in(
    wrap: Callable[[Tensors], Any], tensors: Tensors, tmp_path: Path
) -> None:
    found = _read(tmp_path, wrap(tensors))
    assert (found.identity.recipe, found.identity.variant) == ("shufflenet_v2", "0.5x")
    assert list(found.model) == list(tensors)
    assert all(torch.equal(found.model[name], tensor) for name, tensor in tensors.items())


@pytest.mark.parametrize("name", ["a.pt", "a.ckpt", "a.bin", "model.mdl", "a", "a.tar"])
def test_the_name_of_a_file_does_not_matter(name: str, tensors: Tensors, tmp_path: Path) -> None:
    assert _read(tmp_path, tensors, name).identity.num_classes == 5
    safetensors.torch.save_file(tensors, tmp_path / f"safe-{name}")
    assert import_file(ImportRequest(file=f"safe-{name}"), tmp_path).identity.num_classes == 5


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (_profiled, "3 values that the network does not have are left out (total_ops, "),
        (
            lambda t: _under("module.", t) | {"n_averaged": torch.tensor(3)},
            "1 values that the network does not have are left out (n_averaged)",
        ),
        (
            lambda t: {n: v for n, v in t.items() if "num_batches" not in n},
            "56 num_batches_tracked are missing: they are 0, as in torch",
        ),
        (lambda t: {"ema": t}, "the weights are the average under ema"),
    ],
)
def test_what_is_left_out_or_added_is_noted(
    content: Callable[[Tensors], Any], note: str, tensors: Tensors, tmp_path: Path
) -> None:
    assert any(note in each for each in _read(tmp_path, content(tensors)).notes)


def _doubled(tensors: Tensors) -> Tensors:
    return {name: 2 * tensor for name, tensor in tensors.items()}


BESIDE: dict[str, Callable[[Tensors], Any]] = {
    "state_dict_ema": lambda t: {"state_dict_ema": _doubled(t), "state_dict": t},
    "model_ema": lambda t: {"model": t, "model_ema": prefixed(_doubled(t))},
    "ema.shadow": lambda t: {"net": t, "ema": {"shadow": _doubled(t), "decay": 0.9}},
    "best": lambda t: {"best": _doubled(t), "model": t},
    "state_dict.ema_model": lambda t: {
        "state_dict": _under("model.", t) | _under("ema_model.module.", _doubled(t))
    },
}


@pytest.mark.parametrize("key", BESIDE)
def test_of_several_weights_the_trained_ones_are_taken_and_a_key_takes_the_others(
    key: str, tensors: Tensors, tmp_path: Path
) -> None:
    content, first = BESIDE[key](tensors), "first_conv.0.weight"
    trained = _read(tmp_path, content)
    assert torch.equal(trained.model[first], tensors[first])
    assert any(f"also has some under {key}" in note for note in trained.notes), trained.notes
    other = _read(tmp_path, content, key=key)
    assert torch.equal(other.model[first], 2 * tensors[first])


def test_several_weights_of_which_none_is_the_usual_one_need_a_key(
    tensors: Tensors, tmp_path: Path
) -> None:
    content = {"one": tensors, "other": _doubled(tensors)}
    with pytest.raises(ImportRefused, match="several weights, under one, other: choose") as refused:
        _read(tmp_path, content)
    assert refused.value.code == "ambiguous_weights"
    assert _read(tmp_path, content, key="other").identity.num_classes == 5


def test_a_key_that_is_not_there_is_answered_with_those_that_are(
    tensors: Tensors, tmp_path: Path
) -> None:
    # One dictionary under two keys, as nothing had been averaged yet.
    content = {"state_dict": tensors, "state_dict_ema": tensors}
    with pytest.raises(ImportRefused, match=r"but under state_dict, state_dict_ema$") as refused:
        _read(tmp_path, content, key="ema")
    assert refused.value.code == "no_such_key"


def _adam(run: OriginalRun) -> torch.optim.Optimizer:
    groups = [{"params": group["params"]} for group in run.optimizer.param_groups]
    return torch.optim.Adam(groups)


def _nesterov(run: OriginalRun) -> torch.optim.Optimizer:
    groups = [{"params": group["params"]} for group in run.optimizer.param_groups]
    return torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)


def _without_momentum(run: OriginalRun) -> torch.optim.Optimizer:
    groups = [{"params": group["params"]} for group in run.optimizer.param_groups]
    return torch.optim.SGD(groups, lr=0.1)


@pytest.mark.parametrize(
    ("optimizer", "reason"),
    [
        (_adam, "its options are not those of SGD (lr, betas, eps"),
        (_nesterov, "it is SGD with nesterov"),
        (_without_momentum, "it has no momentum"),
    ],
)
@pytest.mark.parametrize("key", ["optimizer_state_dict", "optimizer"])
def test_an_optimizer_that_is_not_the_series_sgd_is_left_out_and_said_to_be(
    optimizer: Callable[[OriginalRun], torch.optim.Optimizer],
    reason: str,
    key: str,
    tmp_path: Path,
) -> None:
    run = OriginalRun(network_of("detnas"))
    run.losses(1)
    other = optimizer(run)
    other.step()
    content = {"state_dict": run.network.state_dict(), key: other.state_dict()}
    torch.save(content, tmp_path / "weights.pth")
    found = imported(tmp_path, "weights.pth")
    assert found.manifest.phase == "final"
    assert any("the optimizer state is left out" in n and reason in n for n in found.notes)


def test_an_average_takes_no_optimizer_of_the_weights_that_it_averages(tmp_path: Path) -> None:
    run = OriginalRun(network_of("detnas"))
    run.losses(1)
    torch.save(run.content() | {"ema": run.network.state_dict()}, tmp_path / "weights.pth")
    assert imported(tmp_path, "weights.pth").manifest.phase == "train"
    average = imported(tmp_path, "weights.pth", key="ema")
    assert average.manifest.phase == "final"
    assert any("it is of the weights that were averaged" in note for note in average.notes)
