"""optuna, imported when the first sweep needs it: it takes a second, and most servers have none."""

from typing import Any, Literal


def samplers() -> Any:
    """Its samplers."""
    import optuna

    return optuna.samplers


def pruners() -> Any:
    """Its pruners."""
    import optuna

    return optuna.pruners


def distributions() -> Any:
    """Its distributions."""
    import optuna

    return optuna.distributions


def new_study(goal: Literal["minimize", "maximize"], *, sampler: Any = None) -> Any:
    """An empty study in memory, with the goal `minimize` or `maximize`; nothing is logged of it."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction=goal, sampler=sampler)


def running_trial(values: dict[int, float], attributes: dict[str, Any]) -> Any:
    """A trial that has measured a value at each step."""
    import optuna

    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING,
        intermediate_values=values,
        system_attrs=attributes,
    )
