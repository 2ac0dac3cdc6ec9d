"""The trial of `torch.compile`: `python -m workers.training.compile_trial`.

It reads a TrialRequest, one line of JSON, from its standard input and writes a TrialAnswer to its
standard output; the log is its standard error. What it compiles is kept on the worker's disk, so
that the run compiles the same in seconds. It ends with all its children at the end of its input,
which a run closes, alive or killed.
"""

import os
import sys
import threading
import traceback
from dataclasses import replace
from time import monotonic
from typing import NoReturn

import torch
import torch.distributed as dist
from torch._C._distributed_c10d import HashStore

from service.contract.kernel import become_subreaper, die_first
from workers.descendants import kill_descendants
from workers.recipes.table import recipe_named
from workers.training.calibration import Workload, measure
from workers.training.distributed import Ranks
from workers.training.execution import set_kernels
from workers.training.state import RunState
from workers.training.step_of_run import first_line, is_of_compiler
from workers.training.trial_messages import TrialAnswer, TrialRequest

_INPUT_ENDED = 1


def main() -> NoReturn:
    """Answer one request, and end with status 0, also where the answer is a problem."""
    answers = os.dup(sys.stdout.fileno())
    # What a recipe, torch or a compiler prints is no answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    become_subreaper()
    # Where memory runs out, the run goes on without this process.
    die_first()
    request = TrialRequest.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        answer = answer_of(request)
    except Exception as error:
        traceback.print_exc()
        lasts = is_of_compiler(error)
        what = "the network does not compile here" if lasts else "compiling failed"
        answer = TrialAnswer(problem=f"{what}: {first_line(error)}", lasts=lasts)
    os.write(answers, answer.model_dump_json().encode())
    _end(0)


def answer_of(request: TrialRequest) -> TrialAnswer:
    """Measure a step of the request's execution and of the same one compiled."""
    recipe, device = recipe_named(request.recipe), torch.device(request.device)
    params = recipe.params.model_validate(request.params)
    torch.set_num_threads(request.threads)
    set_kernels(device, exact=params.exact)
    network = recipe.build(request.variant, request.classes, params).to(device)
    state = RunState(network, recipe.optimizer_of(network, params), device)
    workload = Workload(recipe, request.variant, params, request.classes, request.world_size)
    compiled = replace(request.execution, compiled=True)
    measured = measure(
        workload,
        state,
        [request.execution, compiled],
        _ranks(request.world_size, device),
        images=workload.part,
        clock=monotonic,
        after_each=lambda: None,
    )
    return TrialAnswer(
        eager_seconds=measured.get(request.execution), compiled_seconds=measured.get(compiled)
    )


def _ranks(world_size: int, device: torch.device) -> Ranks:
    """The first of so many ranks, without the others.

    Of several ranks the compiled graph is cut as their gradients are sent, in buckets; what is
    sent here goes nowhere.
    """
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if world_size > 1:
        dist.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    return Ranks(rank=0, world_size=world_size, device=device)


def _end_with_input() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    _end(_INPUT_ENDED)


def _end(status: int) -> NoReturn:
    # Without exit handlers: torch's would wait for the compilers, which are killed.
    kill_descendants()
    os._exit(status)


if __name__ == "__main__":
    main()
