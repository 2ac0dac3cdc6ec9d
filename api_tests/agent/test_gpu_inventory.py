"""Which GPUs of a worker may be given out, and what it says of the others."""

import pytest

from workers.agent.gpu_inventory import GpuInventory
from workers.agent.gpu_listing import GpuListing, ListedGpu

GIB = 1 << 30
LOST = "the driver has lost it"


def a_gpu(index: int, uuid: str | None = None, used_bytes: int = 0, **fields: object) -> ListedGpu:
    named = {"name": "H100", "memory_bytes": 80 * GIB, "used_bytes": used_bytes}
    return ListedGpu.model_validate(
        {"index": index, "uuid": f"GPU-{index}" if uuid is None else uuid} | named | fields
    )


def lost(index: int) -> ListedGpu:
    return ListedGpu(index=index, problem=LOST)


def inventory_of(*gpus: ListedGpu, visible: str | None = None) -> GpuInventory:
    inventory = GpuInventory(visible)
    inventory.take(GpuListing(gpus=gpus), ())
    return inventory


def offered(inventory: GpuInventory) -> list[tuple[int, str]]:
    return [(device.index, device.cuda_name) for device in inventory.offered]


def problems(inventory: GpuInventory) -> dict[int, str]:
    return {gpu.index: gpu.problem for gpu in inventory.gpus if gpu.problem is not None}


def test_a_gpu_that_falls_off_is_told_and_not_given_out_until_it_is_back() -> None:
    inventory = inventory_of(a_gpu(0), a_gpu(1))
    inventory.take(GpuListing(gpus=(a_gpu(0), lost(1))), ())
    assert offered(inventory) == [(0, "GPU-0")]
    assert problems(inventory) == {1: LOST}
    assert inventory.gpus[1].name == "H100"
    inventory.take(GpuListing(gpus=(a_gpu(0), a_gpu(1))), ())
    assert offered(inventory) == [(0, "GPU-0"), (1, "GPU-1")]
    assert problems(inventory) == {}


def test_a_gpu_keeps_its_index_when_the_driver_numbers_those_that_are_left_anew() -> None:
    inventory = inventory_of(a_gpu(0), a_gpu(1), a_gpu(2))
    inventory.take(GpuListing(gpus=(a_gpu(0), a_gpu(1, "GPU-2"))), ())
    assert offered(inventory) == [(0, "GPU-0"), (2, "GPU-2")]
    assert problems(inventory) == {1: "the driver does not list it any more"}


def test_a_gpu_that_another_program_fills_is_not_given_out_until_it_is_free() -> None:
    inventory = inventory_of(a_gpu(0), a_gpu(1, used_bytes=5 * GIB), a_gpu(2, used_bytes=GIB))
    assert offered(inventory) == [(0, "GPU-0"), (2, "GPU-2")]
    assert "other programs use 5.0 GiB of it: end them" in problems(inventory)[1]
    inventory.take(GpuListing(gpus=(a_gpu(0), a_gpu(1), a_gpu(2))), ())
    assert len(inventory.offered) == 3


def test_of_a_small_gpu_a_tenth_is_much() -> None:
    inventory = inventory_of(a_gpu(0, memory_bytes=4 * GIB, used_bytes=GIB // 2))
    assert offered(inventory) == []


def test_what_an_attempt_fills_is_no_other_programs() -> None:
    inventory = inventory_of(a_gpu(0), a_gpu(1))
    inventory.take(GpuListing(gpus=(a_gpu(0, used_bytes=70 * GIB), a_gpu(1))), {0})
    assert problems(inventory) == {}


def test_a_gpu_that_the_user_names_is_given_out_although_it_is_shared() -> None:
    inventory = inventory_of(a_gpu(0), a_gpu(1, used_bytes=5 * GIB), visible="1")
    assert offered(inventory) == [(1, "GPU-1")]


@pytest.mark.parametrize(
    ("visible", "indices"),
    [
        ("", []),
        ("1,0", [0, 1]),
        ("GPU-0", [0]),
        ("2", [301, 302]),
        ("MIG-2, 1", [1, 302]),
        ("0,-1,1", [0]),
    ],
)
def test_the_user_chooses_gpus_by_index_or_uuid(visible: str, indices: list[int]) -> None:
    parts = [a_gpu(301, "MIG-1"), a_gpu(302, "MIG-2")]
    inventory = inventory_of(a_gpu(0), a_gpu(1), *parts, visible=visible)
    assert [gpu.index for gpu in inventory.gpus] == indices
    assert [index for index, _ in offered(inventory)] == indices


def test_what_the_user_names_and_the_driver_lacks_is_told() -> None:
    inventory = inventory_of(a_gpu(0), visible="0,3,GPU-9")
    assert offered(inventory) == [(0, "GPU-0")]
    absent = "CUDA_VISIBLE_DEVICES names it, and the driver does not list it"
    assert list(problems(inventory).values()) == [absent, absent]
    assert [gpu.name for gpu in inventory.gpus] == ["H100", "unknown", "GPU-9"]


def test_a_driver_that_does_not_answer_is_told_of_every_gpu() -> None:
    inventory = inventory_of(a_gpu(0), a_gpu(1))
    inventory.take(GpuListing(problem="it hangs"), ())
    assert offered(inventory) == []
    assert problems(inventory) == {0: "it hangs", 1: "it hangs"}
    inventory.take(GpuListing(gpus=(a_gpu(0), a_gpu(1))), ())
    assert len(inventory.offered) == 2


def test_a_driver_that_hangs_from_the_start_is_shown() -> None:
    inventory = GpuInventory(None)
    inventory.take(GpuListing(problem="it hangs"), ())
    assert problems(inventory) == {0: "it hangs"}
    inventory.take(GpuListing(gpus=(a_gpu(0),)), ())
    assert (offered(inventory), problems(inventory)) == ([(0, "GPU-0")], {})


def test_a_gpu_that_is_made_into_instances_is_not_missed_and_neither_are_they() -> None:
    inventory = inventory_of(a_gpu(0))
    inventory.take(GpuListing(gpus=(a_gpu(100, "MIG-1"), a_gpu(101, "MIG-2"))), ())
    assert offered(inventory) == [(100, "MIG-1"), (101, "MIG-2")]
    assert problems(inventory) == {}
    inventory.take(GpuListing(gpus=(a_gpu(0),)), ())
    assert [gpu.index for gpu in inventory.gpus] == [0]


def test_after_torch_failed_on_one_gpu_it_is_tried_on_all_that_are_idle() -> None:
    inventory = inventory_of(a_gpu(0), a_gpu(1), a_gpu(2))
    inventory.doubt([1], "torch cannot use it", in_use={2})
    assert offered(inventory) == [(2, "GPU-2")]
    assert problems(inventory)[1] == "torch cannot use it"
    assert "it is tried before it is given out" in problems(inventory)[0]
    assert [device.index for device in inventory.in_doubt({2})] == [0, 1]
    inventory.take_trial({0: None, 1: "torch cannot use it still"})
    assert offered(inventory) == [(0, "GPU-0"), (2, "GPU-2")]
    assert problems(inventory) == {1: "torch cannot use it still"}
    inventory.take_trial({1: None})
    assert len(inventory.offered) == 3
