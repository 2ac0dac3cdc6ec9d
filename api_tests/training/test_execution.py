"""However a step is computed, it is the same training: equal losses, and an exact resume."""

import os
import random
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.exc import BackendCompilerFailed

from api_tests.support.attempts import attempt, draw_photos, ended, run, train_spec
from api_tests.support.manifests import a_manifest
from api_tests.support.tiny_network import BATCH, CLASSES, SIZE, TINY, batch
from service.contract.jobs import Reason
from workers.agent.identity import processes_with
from workers.checkpoints.snapshot import CheckpointContent, CheckpointWriter, load
from workers.data.errors import InvalidData
from workers.recipes.loss import ranks_of_labels
from workers.recipes.params import RecipeParams
from workers.training import execution as executions
from workers.training import execution_choice
from workers.training.attempt_results import Stopped
from workers.training.calibration import Workload, images_to_measure, measure
from workers.training.distributed import Ranks
from workers.training.events import Events
from workers.training.execution import ORIGINAL, Execution
from workers.training.execution_choice import choose, fastest, is_long, usual_execution
from workers.training.run_context import RunContext
from workers.training.state import RunState
from workers.training.step import TrainingStep
from workers.training.time_account import TimeAccount

pytestmark = pytest.mark.xdist_group("trainer: execution")

CPU = torch.device("cpu")
ALONE = Ranks(rank=0, world_size=1, device=CPU)
PARAMS = RecipeParams(
    total_iters=20, batch_size=BATCH, image_size=SIZE, learning_rate=0.1, dropout=0.2
)
NO_DROPOUT = PARAMS.model_copy(update={"dropout": 0.0})
"""Compiled dropout draws other numbers."""
CHANNELS_LAST = Execution(memory_format="channels_last", fused=True)
MODES = [
    ORIGINAL,
    Execution(fused=True),
    CHANNELS_LAST,
    Execution("bf16", "channels_last", fused=True),
    Execution(memory_format="channels_last", compiled=True, fused=True),
]
modes = pytest.mark.parametrize("execution", MODES, ids=str)


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What is compiled is shared by the tests."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(folder))
        patch.setattr(executions, "_CACHE_OF_USER", None)
        yield folder


def _state(
    execution: Execution = ORIGINAL, seed: int = 1, params: RecipeParams = PARAMS
) -> RunState:
    torch.manual_seed(seed)
    network = TINY.build("1", CLASSES, params)
    return RunState(network, TINY.optimizer_of(network, PARAMS), CPU, execution=execution)


def _step_of(state: RunState, **options: Any) -> TrainingStep:
    return TrainingStep(TINY, PARAMS, state.network, state.optimizer, state.execution, **options)


def _trained(state: RunState, until: int) -> list[float]:
    step, losses = _step_of(state), []
    while state.step < until:
        loss, _ = step.train(state.step + 1, *batch(state.step))
        state.step += 1
        losses.append(loss.item())
    return losses


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
    original = _trained(_state(params=NO_DROPOUT), 6)
    losses = _trained(_state(execution, params=NO_DROPOUT), 6)
    assert losses == pytest.approx(original, rel=2e-2 if execution.precision == "bf16" else 1e-5)
    assert len(set(losses)) == 6


@modes
def test_a_resumed_run_is_the_run_that_was_left_alone(execution: Execution, tmp_path: Path) -> None:
    alone = _state(execution)
    losses = _trained(alone, 6)
    first = _state(execution)
    _trained(first, 3)
    saved = _reloaded(first, tmp_path / "attempt")
    torch.compiler.reset()
    second = _state(seed=9)
    second.restore(saved, ALONE)
    assert second.execution == execution
    assert _trained(second, 6) == losses[3:]
    assert _bits(second) == _bits(alone)


def test_a_checkpoint_of_the_plain_update_goes_on_with_the_fused_one(tmp_path: Path) -> None:
    first = _state()
    _trained(first, 3)
    saved = _reloaded(first, tmp_path / "attempt")
    plain, fused = _state(seed=2), _state(seed=3)
    plain.restore(saved, ALONE)
    losses = _trained(plain, 6)
    fused.restore(saved, ALONE)
    fused.execution = CHANNELS_LAST
    assert _trained(fused, 6) == pytest.approx(losses, rel=1e-5)
    # The kernel goes through both in the order of their memory.
    for parameter, slots in fused.optimizer.state.items():
        assert slots["momentum_buffer"].stride() == parameter.stride()


def test_a_checkpoint_without_an_execution_goes_on_as_the_original(tmp_path: Path) -> None:
    state, older = _state(CHANNELS_LAST), _state()
    saved = _reloaded(older, tmp_path / "attempt")
    del saved.rank_states[0]["execution"]
    state.restore(saved, ALONE)
    assert state.execution == ORIGINAL


def test_measuring_leaves_the_run_as_it_was() -> None:
    state = _state(ORIGINAL)
    _trained(state, 2)
    before, seen = _bits(state), []
    gradients = [p.grad.clone() for p in state.network.parameters() if p.grad is not None]
    python, numpy, drawn = (
        random.getstate(),
        np.random.get_state(legacy=False),
        torch.get_rng_state(),
    )
    workload = Workload(TINY, "1", PARAMS, BATCH, CLASSES)
    ticks = iter(range(1000))
    measured = measure(
        workload,
        state,
        MODES[:4],
        clock=lambda: float(next(ticks)),
        after_each=lambda: seen.append(1),
    )
    assert set(measured) == set(MODES[:4])
    assert len(seen) == 4
    assert _bits(state) == before
    after = [p.grad for p in state.network.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(after, gradients, strict=True) if a is not None)
    assert random.getstate() == python
    assert str(np.random.get_state(legacy=False)) == str(numpy)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert state.network.training


LONG = {"total_iters": 400_000, "batch_size": 8, "image_size": 64}
"""At the pace of the tests' clock, a day."""


@pytest.fixture
def choosing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """`(saved, clock, stop_asked, **params)`: a run of the tiny network, its choice and notes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = attempt(tmp_path / "volume")
    notes: list[str] = []
    events = Events(folder, lambda: None, writes=False)  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(events, "note", notes.append)

    def of(
        saved: Execution | None = None, clock: Any = None, stop_asked: bool = False, **params: Any
    ) -> Any:
        context = RunContext(
            assignment=folder.assignment(),
            attempt_folder=folder.folder,
            ranks=ALONE,
            events=events,
            stop_asked=lambda: stop_asked,
            clock=clock or (lambda: pytest.fail("a short run, or one that is known, was measured")),
            now=lambda: pytest.fail("no time is needed"),
            new_id=lambda: "ckpt_1",
            times=TimeAccount(lambda: 0.0),
        )
        of_run = PARAMS.model_copy(update=params)
        context.__dict__.update(recipe=TINY, params=of_run)
        state = _state(params=of_run)
        return choose(context, state, classes=CLASSES, saved=saved), notes

    yield of
    events.close()


def _ticking(step: float = 0.1) -> Callable[[], float]:
    ticks = iter(range(100_000))
    return lambda: next(ticks) * step


def test_a_short_run_is_not_measured(choosing: Callable[..., Any]) -> None:
    choice, notes = choosing()
    assert choice.execution == usual_execution(CPU) == CHANNELS_LAST
    assert choice.sentence == "computes in fp32, channels_last, eager, fused update"
    assert notes == []


def test_a_long_run_is_measured_once_on_a_worker(choosing: Callable[..., Any]) -> None:
    assert is_long(RecipeParams(**LONG), CPU)
    choice, _ = choosing(clock=_ticking(), compile="off", **LONG)
    assert "measured" in choice.sentence
    assert "images/s fp32, contiguous, eager, fused update" in choice.sentence
    # The clock of the second would fail it.
    again, notes = choosing(compile="off", **LONG)
    assert again == choice
    assert notes == []


def test_a_run_that_is_asked_to_stop_while_it_is_measured_stops(
    choosing: Callable[..., Any],
) -> None:
    with pytest.raises(Stopped, match="before its first step"):
        choosing(clock=_ticking(), stop_asked=True, **LONG)


def test_what_was_measured_is_known_although_the_compile_did_not_end(
    choosing: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = execution_choice.measure

    def killed_in_a_compile(*args: Any, **others: Any) -> Any:
        if any(execution.compiled for execution in args[2]):
            raise KeyboardInterrupt
        return measured(*args, **others)

    monkeypatch.setattr(execution_choice, "measure", killed_in_a_compile)
    with pytest.raises(KeyboardInterrupt):
        choosing(clock=_ticking(), **LONG)
    # The clock of the second would fail it.
    choosing(compile="off", **LONG)


@pytest.mark.parametrize(
    ("image_size", "share", "images"),
    [(224, 256, 16), (448, 256, 4), (2048, 16, 2), (64, 256, 196)],
)
def test_a_measured_step_takes_about_as_long_at_every_image_size(
    image_size: int, share: int, images: int
) -> None:
    assert images_to_measure(CPU, image_size, share) == images


def test_a_network_that_does_not_compile_is_trained_eager_and_a_note_says_so(
    choosing: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A compiler is there, and refuses everything.
    monkeypatch.setenv("CXX", "false")
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("false",))
    torch.compiler.reset()
    choice, notes = choosing(clock=_ticking(), **LONG)
    assert not choice.execution.compiled
    assert ["does not compile here" in note for note in notes] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("missing", "params", "message"),
    [
        ("compiler", {"compile": "on"}, "no C++ compiler (no-such-compiler); use compile auto"),
        ("bf16", {"precision": "bf16"}, "cpu has no bfloat16 instructions; use precision auto"),
    ],
)
def test_what_the_worker_cannot_do_is_refused_with_what_to_change(
    choosing: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    params: dict[str, Any],
    message: str,
) -> None:
    _take_away(monkeypatch, missing)
    with pytest.raises(InvalidData) as refusal:
        choosing(**params)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("missing", "saved"),
    [
        ("compiler", Execution(compiled=True, fused=True)),
        ("bf16", Execution("bf16", "channels_last", fused=True)),
    ],
)
def test_a_resumed_run_goes_on_as_before_or_says_what_this_worker_lacks(
    choosing: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    saved: Execution,
) -> None:
    monkeypatch.setattr(execution_choice, "computes_bf16", lambda _: True)
    choice, notes = choosing(saved, **LONG)
    assert (choice.execution, notes) == (saved, [])
    _take_away(monkeypatch, missing)
    choice, notes = choosing(saved, **LONG)
    assert choice.execution == Execution(memory_format=saved.memory_format, fused=True)
    assert "bit for bit cannot be promised" in notes[0]


def _take_away(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    if missing == "compiler":
        monkeypatch.setenv("CXX", "no-such-compiler")
    for module in (executions, execution_choice):
        monkeypatch.setattr(module, "computes_bf16", lambda _: missing != "bf16")


def test_what_a_parameter_names_holds_and_parity_is_the_original(
    choosing: Callable[..., Any],
) -> None:
    named, _ = choosing(CHANNELS_LAST, memory_format="contiguous")
    assert named.execution == Execution(fused=True)
    assert choosing(CHANNELS_LAST, parity=True)[0].execution == ORIGINAL


def test_bf16_must_gain_more_than_a_memory_format() -> None:
    bf16 = Execution("bf16", "channels_last", fused=True)
    assert fastest({Execution(fused=True): 1.0, CHANNELS_LAST: 0.99}) == CHANNELS_LAST
    assert fastest({bf16: 0.95, CHANNELS_LAST: 1.0}) == CHANNELS_LAST
    assert fastest({bf16: 0.85, CHANNELS_LAST: 1.0}) == bf16


def test_a_compile_that_fails_in_training_falls_back_or_fails_with_what_to_change() -> None:
    class Uncompilable(nn.Module):
        def forward(self, _: Tensor) -> Tensor:
            raise BackendCompilerFailed(compile, ValueError("no such kernel"), None)

    notes: list[str] = []
    state = _state(Execution(compiled=True))
    step = _step_of(state, may_fall_back=True, note=notes.append)
    step._forward = Uncompilable()
    step.train(1, *batch(0))
    assert step.execution == ORIGINAL
    assert "the run goes on eager" in notes[0]
    step = _step_of(_state(Execution(compiled=True)))
    step._forward = Uncompilable()
    with pytest.raises(InvalidData, match="compile off"):
        step.train(1, *batch(0))


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
    state = _state()
    step = _step_of(state, parallel=Inexact(state.network), note=notes.append)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        step.train(1, *batch(0))
        with pytest.warns(UserWarning, match="put_"):
            step.train(2, *batch(0))
    finally:
        torch.use_deterministic_algorithms(False)
    assert len(notes) == 1
    assert notes[0].startswith("put_: no exact kernel on this device")


def test_a_compiled_rank_leaves_no_process(cache: Path) -> None:
    program = """
        import torch
        from api_tests.support.tiny_network import CLASSES, TINY, batch
        from workers.recipes.params import RecipeParams
        from workers.training.execution import Execution
        from workers.training.step import TrainingStep

        params = RecipeParams(total_iters=20)
        network = TINY.build("1", CLASSES, params)
        optimizer = TINY.optimizer_of(network, params)
        step = TrainingStep(TINY, params, network, optimizer, Execution(compiled=True))
        print(step.train(1, *batch(0))[0].item())
    """
    environment = {name: value for name, value in os.environ.items() if "INDUCTOR" not in name}
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env=environment, check=True)
    assert list((cache / "trainyard" / "inductor").iterdir())
    left = set(processes_with("XDG_CACHE_HOME", str(cache))) - {os.getpid()}
    assert left == set()


def test_the_rank_of_a_label_is_that_of_a_sorted_row() -> None:
    logits = torch.randn(64, 50)
    labels = torch.randint(50, (64,))
    ranks = ranks_of_labels(logits, labels)
    order = logits.argsort(dim=1, descending=True)
    assert torch.equal(ranks, (order == labels[:, None]).long().argmax(1))
    for k in (1, 5):
        in_top = (logits.topk(k, dim=1).indices == labels[:, None]).any(1)
        assert torch.equal(ranks < k, in_top)


def test_equal_logits_rank_by_their_class_and_a_nan_is_never_right() -> None:
    equal = torch.zeros(3, 4)
    assert ranks_of_labels(equal, torch.tensor([0, 2, 3])).tolist() == [0, 2, 3]
    nan = float("nan")
    rows = torch.tensor([[nan, 1.0, 0.0, 0.0], [1.0, nan, 0.0, 0.0]])
    assert ranks_of_labels(rows, torch.tensor([0, 0])).tolist() == [4, 1]


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
