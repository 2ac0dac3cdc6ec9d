"""Whether torch can compute on the GPU that a rank is given."""

import os

import torch

from workers.launcher.process_exit import UNUSABLE_GPU


def gpu_problem() -> str | None:
    """Why torch cannot use this rank's GPU, as a line of a log in torch's words; None if it can.

    It makes a CUDA context, so that it is called in a rank or in a process of its own.
    """
    # A launcher may leave a rank only its own device to see.
    index = int(os.environ.get("LOCAL_RANK", "0")) % max(torch.cuda.device_count(), 1)
    try:
        torch.zeros(1, device=f"cuda:{index}")
    except (RuntimeError, AssertionError) as error:
        # A build without CUDA raises an AssertionError.
        first = str(error).strip().split("\n")[0]
        return f"{UNUSABLE_GPU}: {first or type(error).__name__}"
    return None
