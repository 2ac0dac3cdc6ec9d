"""How the ranks average their gradients: while a backward runs, or before each update."""

import warnings

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from workers.networks.choices import has_choices
from workers.training.distributed import Ranks


def in_parallel(network: nn.Module, ranks: Ranks) -> nn.Module:
    """The network whose backward averages gradients over the ranks; alone, the network itself.

    A network of which a step uses some weights only is itself, too: see `average_before_steps`.
    A step of several ranks needs a `blank_pass` before it, with a batch of the rank's shape.
    """
    if ranks.world_size == 1 or has_choices(network):
        return network
    devices = [ranks.device] if ranks.device.type == "cuda" else None
    with warnings.catch_warnings():
        # torch 2.14 renames the argument, and older ones know only this name.
        warnings.simplefilter("ignore", FutureWarning)
        # Statistics stay per rank: training does not read them, validation shares rank 0's.
        # Gradients are views of the buckets that are sent, and not copied into them.
        return DistributedDataParallel(
            network,
            devices,
            process_group=ranks.gradients,
            broadcast_buffers=False,
            gradient_as_bucket_view=True,
        )


def average_before_steps(
    optimizer: torch.optim.Optimizer, network: nn.Module, ranks: Ranks
) -> None:
    """Have each step of the optimizer take the mean over the ranks of the gradients there are.

    They are sent as one vector in the order of the weights: so the sums are the same in a resumed
    run. Weights without a gradient are left as they are, with their momentum.
    """
    if ranks.world_size == 1 or not has_choices(network):
        return

    def average(*_: object) -> None:
        found = [p.grad for p in network.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in found])
        dist.all_reduce(flat, group=ranks.gradients)
        flat /= ranks.world_size
        parts = torch.split(flat, [gradient.numel() for gradient in found])
        for gradient, part in zip(found, parts, strict=True):
            gradient.copy_(part.view(gradient.shape))

    optimizer.register_step_pre_hook(average)


def blank_pass(forward: nn.Module, network: nn.Module, example: Tensor) -> None:
    """A forward and a backward on `example` (N, 3, H, W) that leave the network as it was.

    `forward` is what `in_parallel` gave, or a compiled form, of `network`.
    """
    # After its first backward DDP lays the gradients out anew, in the order in which they came.
    # With three ranks or more another layout sums in another order: a resumed run's first step
    # would differ in its last bits. So that backward is one of nothing, before the first step.
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    try:
        with torch.random.fork_rng([example.device] if example.is_cuda else []):
            network.train()
            outputs = forward(example)
            parts = (outputs,) if isinstance(outputs, Tensor) else outputs
            torch.stack([part.sum() for part in parts]).sum().backward()  # type: ignore[no-untyped-call]
    finally:
        network.zero_grad()
        for name, buffer in network.named_buffers():
            buffer.copy_(buffers[name])
