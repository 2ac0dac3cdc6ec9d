"""What ranks do first, so that an attempt at OneShot trains the tiny network, compiled."""

import os

from torch._inductor import config as inductor

from api_tests.support.tiny_network import TINY
from workers.runs import train
from workers.training import execution as executions
from workers.training.execution import Execution
from workers.training.execution_choice import Choice
from workers.training.run_context import RunContext


def train_tiny(execution: Execution, cache: str, failing: int | None = None) -> None:
    """Choose the execution, as of a checkpoint; the compiler of the rank `failing` refuses it."""
    RunContext.recipe = TINY  # type: ignore[assignment]
    train.choose = lambda *_, **__: Choice(execution, "as in the checkpoint")  # type: ignore[assignment]
    if int(os.environ["RANK"]) == failing:
        # What others have compiled, it would not compile.
        cache = f"{cache}-of-none"
        # torch has read CXX in the process from which the ranks are forked.
        inductor.cpp.cxx = ("false",)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = executions._CACHE_OF_USER = cache
