"""Files in the forms of the original scripts, as checkpoints of ours."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from api_tests.support.originals import (
    SMALL,
    OriginalRun,
    imported,
    loss_at,
    network_of,
    params_of,
    prefixed,
    published,
    saved,
)
from service.contract.exchange import ImportRequest
from workers.checkpoints.folder import verify
from workers.checkpoints.snapshot import load
from workers.exchange.imports import import_file
from workers.recipes.optimizer import learning_rate, sgd
from workers.training.distributed import Ranks
from workers.training.state import RunState

MODEL = "model.safetensors"
FORMS: dict[str, Callable[[dict[str, Any], Path], None]] = {
    "bare.pth.tar": lambda tensors, path: torch.save(tensors, path),
    "wrapped.pth.tar": lambda tensors, path: torch.save({"state_dict": tensors}, path),
    "prefixed.pth": lambda tensors, path: torch.save(prefixed(tensors), path),
    "both.pth.tar": lambda tensors, path: torch.save({"state_dict": prefixed(tensors)}, path),
    "legacy.pkl": lambda tensors, path: torch.save(
        tensors, path, _use_new_zipfile_serialization=False
    ),
    "plain.safetensors": safetensors.torch.save_file,
}


@pytest.mark.parametrize("recipe", SMALL)
def test_every_form_of_a_familys_weights_gives_the_file_that_our_trainer_writes(
    recipe: str, tmp_path: Path
) -> None:
    tensors = network_of(recipe).state_dict()
    _, ours = saved(tmp_path, recipe, tensors)
    for name, write in FORMS.items():
        write(tensors, tmp_path / name)
        found = imported(tmp_path, name)
        assert found.manifest.files[MODEL] == ours.files[MODEL], name
        assert verify(found.folder) == []
        manifest = found.manifest
        identity = (manifest.recipe, manifest.variant, manifest.num_classes, manifest.phase)
        assert identity == (recipe, SMALL[recipe], 5, "final")


@pytest.mark.parametrize("prefix", [False, True])
def test_a_training_of_the_original_scripts_goes_on_as_if_it_had_never_moved(
    prefix: bool, tmp_path: Path
) -> None:
    original = OriginalRun(network_of("detnas"))
    original.losses(3)
    content = original.content()
    if prefix:
        content["state_dict"] = prefixed(content["state_dict"])
    torch.save(content, tmp_path / "weights.pth.tar")
    uninterrupted = original.losses(3)
    found = imported(tmp_path, "weights.pth.tar")
    assert (found.manifest.phase, found.folder.name) == ("train", "step-000000003")
    assert any("this momentum and this step, but not bit for bit" in note for note in found.notes)
    assert _goes_on("detnas", found.folder, 3) == uninterrupted


def _goes_on(recipe: str, folder: Path, steps: int) -> list[float]:
    params, device = params_of(recipe), torch.device("cpu")
    network = network_of(recipe)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.zero_()
    state = RunState(network, sgd(network, params), device)
    state.restore(load(folder), Ranks(rank=0, world_size=1, device=device))
    losses = []
    network.train()
    for _ in range(steps):
        for group in state.optimizer.param_groups:
            group["lr"] = learning_rate(params, state.step + 1)
        loss = loss_at(network, state.step + 1)
        state.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        state.optimizer.step()
        state.step += 1
        losses.append(loss.item())
    return losses


def test_reading_a_file_leaves_the_generators_where_they_were(tmp_path: Path) -> None:
    original = OriginalRun(network_of("detnas"))
    torch.save(original.content(), tmp_path / "weights.pth.tar")
    before = torch.get_rng_state()
    imported(tmp_path, "weights.pth.tar")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("checkpoint-000010.pth.tar", 10),
        ("bnps-checkpoint-1000000.pth.tar", 1_000_000),
        ("weights-2.0x.pth.tar", 0),
    ],
)
def test_the_step_is_the_one_in_the_files_name(name: str, step: int, tmp_path: Path) -> None:
    torch.save({"state_dict": network_of("shufflenet_v2").state_dict()}, tmp_path / name)
    found = imported(tmp_path, name)
    assert (found.manifest.step, found.manifest.phase) == (step, "final")
    assert any("has its step: step 0 is used" in note for note in found.notes) == (step == 0)


def test_the_step_of_the_schedule_counts_before_the_one_in_the_name(tmp_path: Path) -> None:
    original = OriginalRun(network_of("detnas"))
    original.schedule.last_epoch = 7
    torch.save(original.content(), tmp_path / "checkpoint-000010.pth.tar")
    assert imported(tmp_path, "checkpoint-000010.pth.tar").manifest.step == 7


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state["param_groups"][0]["params"].pop(),
        lambda state: state["param_groups"][0].update(params="all"),
        lambda state: state["state"][0].update(momentum_buffer=torch.zeros(2)),
        lambda state: state.pop("state"),
    ],
)
def test_an_optimizer_of_another_network_is_left_out_and_said_to_be(
    spoil: Callable[[Any], Any], tmp_path: Path
) -> None:
    original = OriginalRun(network_of("detnas"))
    original.losses(1)
    content = original.content()
    spoil(content["optimizer_state_dict"])
    torch.save(content, tmp_path / "weights.pth.tar")
    found = imported(tmp_path, "weights.pth.tar")
    assert found.manifest.phase == "final"
    assert any("the optimizer state is left out" in note for note in found.notes)


def test_weights_that_are_not_finite_are_imported_with_a_warning(tmp_path: Path) -> None:
    tensors = network_of("shufflenet_v2").state_dict()
    tensors["first_conv.0.weight"][0, 0, 0, 0] = float("nan")
    tensors["first_conv.1.bias"][3] = float("inf")
    torch.save(tensors, tmp_path / "weights.pth")
    found = imported(tmp_path, "weights.pth")
    warning = "2 tensors have NaN or infinite values (first_conv.0.weight, first_conv.1.bias)"
    assert warning in found.notes
    assert load(found.folder).model["first_conv.0.weight"].isnan().any()


def test_progress_counts_every_byte_of_the_tensors_once(tmp_path: Path) -> None:
    original = OriginalRun(network_of("detnas"))
    original.losses(1)
    torch.save(original.content(), tmp_path / "weights.pth.tar")
    seen: list[tuple[int, int]] = []
    read = import_file(ImportRequest(file="weights.pth.tar"), tmp_path)
    published(read, tmp_path, progress=lambda *at: seen.append(at))
    parts = (*read.model.values(), *read.momentum.values())
    total = sum(tensor.nbytes for tensor in parts)
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_the_user_names_the_classes_and_the_preprocessing(tmp_path: Path) -> None:
    torch.save(network_of("oneshot").state_dict(), tmp_path / "weights.pth")
    names = ("a", "b", "c", "d", "e")
    request = {"class_names": names, "preprocessing": "bgr_normalized", "image_size": 96}
    manifest = imported(tmp_path, "weights.pth", **request).manifest
    assert manifest.class_names == names
    assert (manifest.preprocessing, manifest.image_size) == ("bgr_normalized", 96)
    assert imported(tmp_path, "weights.pth").manifest.preprocessing == "bgr255"
