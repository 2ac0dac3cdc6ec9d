"""What to change in a job that ran out of memory."""

from service.contract.specs import AnySpec, EvalSpec, TrainSpec

_LARGER_WORKER = "use a worker with more memory"


def memory_advice(spec: AnySpec, fitting: int | None = None) -> str:
    """A clause for people: a batch size to try, which the job's ranks can share.

    It is `fitting`, a batch that was tried and fitted, or half of the job's.
    """
    if not isinstance(spec, TrainSpec | EvalSpec):
        return _LARGER_WORKER
    tried = [f"batch_size {fitting}, which fitted when it was tried"] if fitting else []
    ways = [*(tried or _smaller_batch(spec)), "a smaller image_size"]
    if isinstance(spec.params.get("data_workers"), int) and spec.params["data_workers"] > 0:
        ways.append("fewer data_workers")
    return f"try {', '.join(ways)}, or {_LARGER_WORKER}"


def _smaller_batch(spec: TrainSpec | EvalSpec) -> list[str]:
    batch_size, ranks = spec.params.get("batch_size"), spec.resources.world_size
    # The batches of an eval have their own size.
    if isinstance(spec, EvalSpec) or not isinstance(batch_size, int):
        return []
    half = batch_size // 2 // ranks * ranks
    return [f"batch_size {half}"] if half else []
