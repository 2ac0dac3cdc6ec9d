"""How a training step is computed: precision, memory format, compiled or not, fused update."""

import os
import shutil
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import torch
from torch import Tensor, nn

from workers.cache_folder import cache_folder
from workers.data.errors import InvalidData

Precision = Literal["fp32", "bf16"]
MemoryFormat = Literal["contiguous", "channels_last"]
_CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
_CACHE_OF_USER = os.environ.get(_CACHE_VARIABLE)
"""Read before torch sets the variable to a folder in /tmp, as it does for its first optimizer."""
_CUBLAS_EXACT = ":4096:8"
"""The workspace with which cuBLAS promises equal results; it is read when a handle is made."""


@dataclass(frozen=True)
class Execution:
    """One way to compute a step; the default is the original scripts' way.

    `compiled`: by `torch.compile`. `fused`: SGD updates all weights in one kernel.
    """

    precision: Precision = "fp32"
    memory_format: MemoryFormat = "contiguous"
    compiled: bool = False
    fused: bool = False

    def as_json(self) -> dict[str, Any]:
        """For `rank-<r>.json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any] | None) -> "Execution":
        """What `as_json` gave; a checkpoint without one was trained in the original way."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in (saved or {}).items() if name in known})

    def __str__(self) -> str:
        mode = "compiled" if self.compiled else "eager"
        update = "fused update" if self.fused else "plain update"
        return f"{self.precision}, {self.memory_format}, {mode}, {update}"


ORIGINAL = Execution()


def format_of(execution: Execution) -> torch.memory_format:
    """The memory format of images and weights."""
    is_last = execution.memory_format == "channels_last"
    return torch.channels_last if is_last else torch.contiguous_format


def validation_execution(training: Execution) -> Execution:
    """How a training's network is validated: in fp32, in the memory format of its weights."""
    return Execution(memory_format=training.memory_format)


def prepare_for(network: nn.Module, execution: Execution) -> None:
    """Lay the weights out in the memory format, in place; their values and names stay.

    A network of channels_last weights computes in that format, in training and in eval.
    """
    # Only these have it; a network may also have weights of other dimensions.
    network.to(memory_format=format_of(execution))


def prepare_optimizer(optimizer: torch.optim.Optimizer, execution: Execution) -> None:
    """Have torch's SGD update by the execution's kernel, and lay its state out as the weights.

    Another optimizer, or an SGD that names its own kernel, keeps that kernel.
    """
    for group in optimizer.param_groups:
        if type(optimizer) is torch.optim.SGD and execution.fused and group["foreach"] is None:
            group["fused"] = True
    for parameter, slots in optimizer.state.items():
        for name, value in slots.items():
            # A fused kernel goes through the memory of both in step.
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                empty = torch.empty_like(parameter, dtype=value.dtype, requires_grad=False)
                slots[name] = empty.copy_(value)


def formatted(inputs: Tensor, execution: Execution) -> Tensor:
    """Images (N, 3, S, S) in the memory format of the execution."""
    return inputs.contiguous(memory_format=format_of(execution))


def autocast(device: torch.device, execution: Execution) -> AbstractContextManager[Any]:
    """The context in which the network runs forward."""
    if execution.precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def forward_of(
    network: nn.Module,
    device: torch.device,
    execution: Execution,
    *,
    world_size: int = 1,
    parts: int = 1,
) -> nn.Module:
    """The network itself, or a compiled form of it that has the same parameters and buffers.

    Nothing is compiled before the first call. A rank alone on a GPU replays CUDA graphs, unless it
    computes a step in `parts`.
    """
    if not execution.compiled:
        return network
    keep_compiled()
    # A graph that is replayed writes over the gradients of the part before.
    graphs = device.type == "cuda" and world_size == 1 and parts == 1
    mode = "reduce-overhead" if graphs else "default"
    compiled: Any = torch.compile(network, dynamic=False, mode=mode)
    assert isinstance(compiled, nn.Module)
    return compiled


def keep_compiled() -> None:
    """Have what this process and its children compile be kept on the worker's disk."""
    folder = cache_folder("inductor")
    if folder is not None and _CACHE_OF_USER is None:
        os.environ[_CACHE_VARIABLE] = str(folder)


def set_kernels(device: torch.device, *, exact: bool) -> None:
    """On CUDA, kernels that give the same bits each time, or else those that are fastest.

    Call it before the device computes anything. The kernels of the CPU are exact anyway.
    """
    if device.type != "cuda":
        return
    if exact:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", _CUBLAS_EXACT)
        # Filling fresh memory would cost a pass over each tensor, and nothing reads it unfilled.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        # The first step's are noted; each later step would warn again.
        warnings.filterwarnings("ignore", message=".*does not have a deterministic")
    torch.use_deterministic_algorithms(exact, warn_only=True)
    torch.backends.cudnn.deterministic = exact
    torch.backends.cudnn.benchmark = not exact


def computes_bf16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def require_bf16(device: torch.device) -> None:
    """Raise InvalidData if the device cannot compute in bfloat16."""
    if not computes_bf16(device):
        raise InvalidData(
            f"precision bf16: this worker's {device.type} has no bfloat16 instructions; "
            "use precision auto or fp32, or a worker whose device has them"
        )


def missing_compiler(device: torch.device) -> str | None:
    """What `torch.compile` lacks on this worker, as in `a C++ compiler (g++)`; None: nothing."""
    if device.type == "cuda":
        from torch.utils._triton import has_triton

        return None if has_triton() else "triton for this GPU"
    # As inductor chooses it.
    compiler = os.environ.get("CXX", "g++")
    return None if shutil.which(compiler) else f"a C++ compiler ({compiler})"


def require_compiler(device: torch.device) -> None:
    """Raise InvalidData if the worker has nothing to compile with."""
    missing = missing_compiler(device)
    if missing is not None:
        raise InvalidData(
            f"compile on: this worker has no {missing.removeprefix('a ')}; "
            "use compile auto or off, or install it on the worker"
        )
