"""Which of the listed GPUs CUDA_VISIBLE_DEVICES leaves this worker."""

from collections.abc import Sequence

from workers.agent.gpu_listing import ListedGpu, parent_index

_NAMED_INDEX = 1_000_000
"""What is named by a UUID that the driver does not list has an index from here on."""


def visible_gpus(gpus: Sequence[ListedGpu], visible: str | None) -> tuple[ListedGpu, ...]:
    """Those that `visible` names by index or by the beginning of a UUID; all where it is None.

    The index of a GPU in MIG mode names its instances. What is named and not listed is there with
    a problem. As for CUDA, nothing counts after an index that is no index, such as -1.
    """
    if visible is None:
        return tuple(gpus)
    chosen: dict[int, ListedGpu] = {}
    for position, name in enumerate(visible.replace(" ", "").split(",")):
        if not name.isdecimal() and not name.startswith(("GPU-", "MIG-")):
            break
        named = [gpu for gpu in gpus if _is_named(gpu, name)] or [_absent(name, position)]
        chosen |= {gpu.index: gpu for gpu in named}
    return tuple(chosen.values())


def _is_named(gpu: ListedGpu, name: str) -> bool:
    if name.isdecimal():
        return int(name) in (gpu.index, parent_index(gpu.index))
    return gpu.uuid.startswith(name)


def _absent(name: str, position: int) -> ListedGpu:
    index = int(name) if name.isdecimal() else _NAMED_INDEX + position
    problem = "CUDA_VISIBLE_DEVICES names it, and the driver does not list it"
    return ListedGpu(index=index, name="unknown" if name.isdecimal() else name, problem=problem)
