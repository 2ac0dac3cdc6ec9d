"""What to change in a job that ran out of memory."""

from service.contract.batch_parts import parts_of_at_most
from service.contract.specs import AnySpec, EvalSpec, SearchSpec, TrainSpec

_LARGER_WORKER = "use a worker with more memory"


def memory_advice(spec: AnySpec, fitting: int | None = None) -> str:
    """A clause for people: parts and a batch size to try, which the job's ranks can share.

    They are those of `fitting`, images of all ranks at once that were tried and fitted, or half of
    the job's.
    """
    if isinstance(spec, SearchSpec):
        return f"try a smaller fitness_images or recalibration_batch_size, or {_LARGER_WORKER}"
    if not isinstance(spec, TrainSpec | EvalSpec):
        return _LARGER_WORKER
    ways = [*_fewer_images(spec, fitting), "a smaller image_size"]
    if isinstance(spec.params.get("data_workers"), int) and spec.params["data_workers"] > 0:
        ways.append("fewer data_workers")
    return f"try {', '.join(ways)}, or {_LARGER_WORKER}"


def _fewer_images(spec: TrainSpec | EvalSpec, fitting: int | None) -> list[str]:
    """Ways to compute fewer images at once: the same batch in more parts, then a smaller batch."""
    tried = ", which fitted when it was tried" if fitting else ""
    batch_size, ranks = spec.params.get("batch_size"), spec.resources.world_size
    # The batches of an eval have their own size.
    if isinstance(spec, EvalSpec) or not isinstance(batch_size, int):
        return [f"batch_size {fitting}{tried}"] if fitting else []
    # A recipe of an older version has no such parameter.
    accumulate = spec.params.get("accumulate")
    parts = accumulate if isinstance(accumulate, int) else 1
    at_once = fitting or batch_size // parts // 2
    share, limit = batch_size // ranks, at_once // ranks
    if not limit:
        return []
    smaller = [f"batch_size {limit * ranks * parts}{tried}"]
    if accumulate is None:
        return smaller
    return [f"accumulate {parts_of_at_most(share, limit)} (the same batch in parts)", *smaller]
