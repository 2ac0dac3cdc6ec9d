"""However a step is computed, it is the same training: equal losses, and an exact resume."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from api_tests.support.attempts import attempt, draw_photos, ended, run, train_spec
from api_tests.support.manifests import a_manifest
from api_tests.support.tiny_network import batch
from api_tests.support.tiny_training import (
    ALONE,
    CHANNELS_LAST,
    COMPILED,
    PARAMS,
    tiny_losses,
    tiny_state,
    tiny_step,
)
from service.contract.jobs import Reason
from workers.checkpoints.snapshot import CheckpointContent, CheckpointWriter, load
from workers.process_marks import processes_with
from workers.training.execution import ORIGINAL, Execution
from workers.training.state import RunState

pytestmark = [
    pytest.mark.xdist_group("training"),
    pytest.mark.usefixtures("compile_cache"),
]

NO_DROPOUT = PARAMS.model_copy(update={"dropout": 0.0})
"""Compiled dropout draws other numbers."""
MODES = [
    ORIGINAL,
    Execution(fused=True),
    CHANNELS_LAST,
    Execution("bf16", "channels_last", fused=True),
    COMPILED,
]
modes = pytest.mark.parametrize("execution", MODES, ids=str)


def _reloaded(state: RunState, folder: Path) -> CheckpointContent:
    folder.mkdir()
    written: list[Path] = []
    writer = CheckpointWriter(
        folder, on_published=lambda path, _: written.append(path), on_failed=lambda _: None
    )
    manifest = a_manifest("job_1", state.step)
    writer.save(manifest, state.network.state_dict(), state.optimizer_tensors(), [state.of_rank()])
    assert writer.close() is None
    return load(written[0])


def _bits(state: RunState) -> dict[str, bytes]:
    named = {f"model.{name}": value for name, value in state.network.state_dict().items()}
    named |= {f"optim.{name}": value for name, value in state.optimizer_tensors().items()}
    return {name: value.contiguous().numpy().tobytes() for name, value in named.items()}


@modes
def test_every_execution_gives_the_losses_of_the_original(execution: Execution) -> None:
    original = tiny_losses(tiny_state(params=NO_DROPOUT), 6)
    losses = tiny_losses(tiny_state(execution, params=NO_DROPOUT), 6)
    assert losses == pytest.approx(original, rel=2e-2 if execution.precision == "bf16" else 1e-5)
    assert len(set(losses)) == 6


@modes
def test_a_resumed_run_is_the_run_that_was_left_alone(execution: Execution, tmp_path: Path) -> None:
    alone = tiny_state(execution)
    losses = tiny_losses(alone, 6)
    first = tiny_state(execution)
    tiny_losses(first, 3)
    saved = _reloaded(first, tmp_path / "attempt")
    torch.compiler.reset()
    second = tiny_state(seed=9)
    second.restore(saved, ALONE)
    assert second.execution == execution
    assert tiny_losses(second, 6) == losses[3:]
    assert _bits(second) == _bits(alone)


def test_a_checkpoint_of_the_plain_update_goes_on_with_the_fused_one(tmp_path: Path) -> None:
    first = tiny_state()
    tiny_losses(first, 3)
    saved = _reloaded(first, tmp_path / "attempt")
    plain, fused = tiny_state(seed=2), tiny_state(seed=3)
    plain.restore(saved, ALONE)
    losses = tiny_losses(plain, 6)
    fused.restore(saved, ALONE)
    fused.execution = CHANNELS_LAST
    assert tiny_losses(fused, 6) == pytest.approx(losses, rel=1e-5)
    # The kernel goes through both in the order of their memory.
    for parameter, slots in fused.optimizer.state.items():
        assert slots["momentum_buffer"].stride() == parameter.stride()


def test_a_checkpoint_without_an_execution_goes_on_as_the_original(tmp_path: Path) -> None:
    state, older = tiny_state(CHANNELS_LAST), tiny_state()
    saved = _reloaded(older, tmp_path / "attempt")
    del saved.rank_states[0]["execution"]
    state.restore(saved, ALONE)
    assert state.execution == ORIGINAL


def test_a_kernel_that_is_not_exact_is_named_in_a_note_once() -> None:
    class Inexact(nn.Module):
        """Its `put_` is not exact on any device."""

        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: Tensor) -> Tensor:
            images = images.clone().put_(torch.tensor([0]), torch.tensor([0.5]))
            logits: Tensor = self.network(images)
            return logits

    notes: list[str] = []
    state = tiny_state()
    step = tiny_step(state, forward=Inexact(state.network), note=notes.append)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        step.train(1, *batch(0))
        with pytest.warns(UserWarning, match="put_"):
            step.train(2, *batch(0))
    finally:
        torch.use_deterministic_algorithms(False)
    assert len(notes) == 1
    assert notes[0].startswith("put_: no exact kernel on this device")


def test_a_compiled_rank_leaves_no_process_and_keeps_what_it_compiled(
    compile_root: Path, tmp_path: Path
) -> None:
    program = """
        from api_tests.support.tiny_training import COMPILED, tiny_losses, tiny_state

        print(tiny_losses(tiny_state(COMPILED), 1))
    """
    environment = {name: value for name, value in os.environ.items() if "INDUCTOR" not in name}
    environment |= {"XDG_CACHE_HOME": str(compile_root), "RANK_OF_TEST": str(tmp_path)}
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env=environment, check=True)
    assert list((compile_root / "trainyard" / "inductor").iterdir())
    assert processes_with("RANK_OF_TEST", str(tmp_path)) == []


def test_a_run_says_how_it_computes_and_ends_where_it_cannot(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    params = {"total_iters": 1, "val_interval": 100, "bn_recalibration_iters": 0}
    events = run(attempt(tmp_path, spec=train_spec(**params)))
    assert events[0].body["execution"] == "computes in fp32, channels_last, eager, fused update"
    failed = attempt(tmp_path, 2, spec=train_spec(**params, compile="on"))
    last = ended(run(failed, before=_without_compiler))
    assert (last["outcome"], last["reason"]) == ("failed", Reason.INVALID_DATA)
    assert "use compile auto or off" in last["message"]


def _without_compiler() -> None:
    os.environ["CXX"] = "no-such-compiler"
