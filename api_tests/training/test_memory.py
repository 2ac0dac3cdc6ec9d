"""Too little memory ends a run at once, with what to change, whoever notices it first."""

import errno
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from torch import nn

from api_tests.support.attempts import attempt, draw_photos, ended, run, train_spec
from api_tests.support.claims import a_claim
from service.contract.jobs import Reason
from workers.training import step_of_run
from workers.training.attempt_results import result_of
from workers.training.fitting_batch import BatchTooLarge, fitting_images
from workers.training.step import TrainingStep

pytestmark = pytest.mark.xdist_group("training")

ALLOCATOR = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 8192 bytes. Error code 12 (Cannot allocate memory)"
)
IN_LOADER = (
    "Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback (most recent call "
    f'last):\n  File "worker.py", line 1\nRuntimeError: {ALLOCATOR}\n'
)
KILLED_LOADER = "DataLoader worker (pid 7) is killed by signal: Killed. "


def leave_little_memory() -> None:
    """This process may have 512 MiB of addresses more than it has."""
    limit = psutil.Process().memory_info().vms + (512 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def test_a_training_that_the_cpu_allocator_refuses_memory_fails_with_a_batch_size_to_try(
    tmp_path: Path,
) -> None:
    draw_photos(tmp_path)
    # In the rank alone: what loaders lack is the next tests'.
    spec = train_spec(batch_size=20, image_size=1024, data_workers=0)
    last = ended(run(attempt(tmp_path, spec=spec), before=leave_little_memory))
    assert (last["outcome"], last["reason"]) == ("failed", "out_of_memory")
    assert "try accumulate 2 (the same batch in parts), batch_size 10" in last["message"]


NO_ROOM = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def refuse_every_step() -> None:
    """As a device refuses that has no room for the batch."""

    def train(*_: Any) -> Any:
        raise NO_ROOM

    TrainingStep.train = train  # type: ignore[method-assign]


def refuse_every_backward() -> None:
    """As a device refuses that has no room for the gradients, once some of them are sent."""

    def train(step: Any, _: int, images: torch.Tensor, __: torch.Tensor) -> Any:
        parameters = list(step._network.parameters())

        def refuse(_: Any) -> None:
            hook.remove()
            raise NO_ROOM

        hook = parameters[len(parameters) // 2].register_hook(refuse)
        step._forward(images).sum().backward()

    TrainingStep.train = train  # type: ignore[method-assign]


def refuse_before_the_first_step() -> None:
    """As a device refuses the first batch that ranks see, one of zeros."""

    def blank_pass(*_: Any) -> None:
        raise NO_ROOM

    step_of_run.blank_pass = blank_pass


@pytest.mark.parametrize(
    ("refuse", "ranks"),
    [(refuse_every_step, 1), (refuse_every_backward, 2), (refuse_before_the_first_step, 2)],
)
def test_a_step_without_room_on_the_device_ends_the_run_with_a_batch_size_that_fitted(
    tmp_path: Path, refuse: Callable[[], None], ranks: int
) -> None:
    draw_photos(tmp_path)
    last = ended(run(attempt(tmp_path, spec=train_spec()), ranks=ranks, before=refuse))
    assert (last["outcome"], last["reason"]) == ("failed", "out_of_memory")
    # Of all ranks, of which each has tried a half of its part.
    assert "batch_size 4, which fitted when it was tried" in last["message"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError(ALLOCATOR), "DefaultCPUAllocator: can't allocate memory: you tried"),
        (RuntimeError(IN_LOADER), "DefaultCPUAllocator: can't allocate memory: you tried"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried 2 GiB"), "CUDA out of memory"),
        (RuntimeError("CUDA error: out of memory\nCompile with"), "CUDA error: out of memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), "CUBLAS_STATUS"),
        (MemoryError(), "MemoryError"),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), "Cannot allocate memory"),
        (
            RuntimeError("unable to write to file </torch_1_2_3>: No space left on device (28)"),
            "unable to write to file",
        ),
    ],
)
def test_every_error_of_an_allocator_is_out_of_memory(error: Exception, message: str) -> None:
    claim = a_claim(params={"batch_size": 512, "data_workers": 4})
    result = result_of(error, claim)
    assert result.reason is Reason.OUT_OF_MEMORY
    assert message in result.message
    assert not result.message.startswith(("[", "RuntimeError"))
    assert "batch_size 256, a smaller image_size, fewer data_workers" in result.message


@pytest.mark.parametrize(
    ("oom_killed", "reason"), [(True, Reason.OUT_OF_MEMORY), (False, Reason.CRASHED)]
)
def test_a_killed_loader_is_out_of_memory_only_if_the_kernel_killed_for_it(
    oom_killed: bool, reason: Reason
) -> None:
    result = result_of(RuntimeError(KILLED_LOADER), a_claim(), oom_killed=oom_killed)
    assert result.reason is reason


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"params": {"batch_size": 30}, "gpus": 4}, "batch_size 12, a smaller image_size"),
        ({"params": {"batch_size": 4}, "gpus": 4}, "try a smaller image_size, or use a worker"),
        ({"params": {"batch_size": 60}, "gpus": 4}, "try accumulate 3 (the same batch in parts)"),
        (
            {"params": {"batch_size": 64, "accumulate": 4}, "gpus": 2},
            "try accumulate 8 (the same batch in parts), batch_size 32, a smaller",
        ),
        ({"params": {"batch_size": 6, "accumulate": 3}, "gpus": 2}, "try a smaller image_size"),
    ],
)
def test_the_parts_and_the_batch_size_to_try_are_such_that_the_ranks_can_share(
    fields: dict[str, Any], advice: str
) -> None:
    assert advice in result_of(MemoryError(), a_claim(**fields)).message


class SmallDevice(nn.Module):
    """A network that has room for so many images."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room
        self.weight = nn.Parameter(torch.ones(3))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) > self._room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return images.mean((2, 3)) * self.weight


@pytest.mark.parametrize(("room", "fitting"), [(7, 5), (10, 10), (5, 5), (2, 2), (1, None)])
def test_the_first_part_of_a_batch_that_fits_is_found_by_trying(
    room: int, fitting: int | None
) -> None:
    assert fitting_images(SmallDevice(room), torch.zeros(20, 3, 4, 4)) == fitting


def test_a_batch_that_fitted_when_it_was_tried_is_what_the_message_names() -> None:
    claim = a_claim(params={"batch_size": 512})
    result = result_of(BatchTooLarge("CUDA out of memory. Tried 2 GiB", 128), claim)
    assert result.reason is Reason.OUT_OF_MEMORY
    assert result.message.startswith(
        "CUDA out of memory. Tried 2 GiB; try accumulate 4 (the same batch in parts), "
        "batch_size 128, which fitted when it was tried, "
    )
    unknown = result_of(BatchTooLarge("CUDA out of memory. Tried 2 GiB", None), claim)
    assert "batch_size 256, a smaller image_size" in unknown.message
