"""From which training state a training can go on: one rule for a pause, a retry and `init_from`."""

from service.contract.checkpoints import Checkpoint, Manifest


def can_resume(
    state: Checkpoint | Manifest, total_iters: int, *, total_iters_of_state: int | None = None
) -> bool:
    """Whether a training of `total_iters` iterations can go on from a state that is not final.

    It can unless the state has more iterations than that. At the last one, batch norm, the
    validation and the final weights are left. A step within the recalibration of batch norm counts
    from the last iteration of its own training, which had `total_iters_of_state`, None if unknown.
    """
    if state.step < total_iters:
        return True
    if state.phase == "recalibrate":
        return total_iters_of_state in (None, total_iters)
    return state.step == total_iters
