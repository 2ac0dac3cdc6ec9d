"""A network that does not compile, whenever that shows, is trained eager or not at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from torch import Tensor, nn
from torch._dynamo.exc import BackendCompilerFailed

from api_tests.support.polling import eventually
from api_tests.support.tiny_network import batch
from api_tests.support.tiny_training import CHANNELS_LAST, COMPILED, tiny_losses, tiny_state
from workers.training import step_of_run
from workers.training.distributed import Ranks
from workers.training.step_of_run import NotCompiled, training_step_of


def _fail(*_: Any) -> None:
    raise BackendCompilerFailed(compile, ValueError("no such kernel"), None)


class Uncompilable(nn.Module):
    """As a compiled network whose forward or backward fails when it is first called."""

    def __init__(self, network: nn.Module, fails_in: str) -> None:
        super().__init__()
        self._network, self._fails_in = network, fails_in

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self._network(images)
        if self._fails_in == "forward":
            _fail()
        logits.register_hook(_fail)
        return logits


@pytest.mark.parametrize("fails_in", ["forward", "backward"])
def test_what_does_not_compile_is_trained_eager_from_the_start_or_fails_with_what_to_change(
    fails_in: str, tiny_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forward_of(network: nn.Module, _: Any, execution: Any, **__: Any) -> nn.Module:
        return Uncompilable(network, fails_in) if execution.compiled else network

    monkeypatch.setattr(step_of_run, "forward_of", forward_of)
    context, notes = tiny_run()
    state = tiny_state(COMPILED)
    step = training_step_of(context, state)
    assert state.execution == CHANNELS_LAST
    (note,) = notes
    assert "does not compile here: " in note
    assert "the run goes on eager" in note
    # Its dropout, statistics and weights are those of a run that never compiled.
    loss, _ = step.train(1, *batch(0))
    assert [loss.item()] == tiny_losses(tiny_state(CHANNELS_LAST), 1)
    context, _ = tiny_run(compile="on")
    with pytest.raises(NotCompiled, match="compile off avoids it"):
        training_step_of(context, tiny_state(COMPILED))


def test_notes_say_that_the_network_compiles_until_the_last_rank_has_compiled(
    tiny_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_of_run, "_NOTE_SECONDS", 0.01)
    monkeypatch.setattr(step_of_run, "forward_of", lambda network, *_, **__: network)
    context, notes = tiny_run()

    @contextmanager
    def apart(_: Ranks) -> Iterator[None]:
        yield
        before = len(notes)
        eventually(lambda: len(notes) > before)

    monkeypatch.setattr(Ranks, "apart", apart)
    training_step_of(context, tiny_state(COMPILED))
    assert notes[-1].startswith("the network compiles since")
