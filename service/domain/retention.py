"""Which checkpoints of a job its retention keeps."""

import math
from collections.abc import Collection, Sequence

from service.contract.checkpoints import Checkpoint
from service.contract.specs import Retention


def surplus(
    newest_first: Sequence[Checkpoint], retention: Retention, in_use: Collection[str]
) -> list[Checkpoint]:
    """Those of a job's published checkpoints that its retention does not keep.

    It keeps the newest training ones, the best by the metric (lower is better), the final ones,
    the pinned and tagged, and those that a live job uses.
    """
    training = [c for c in newest_first if c.phase != "final"]
    retained = {c.id for c in training[: retention.keep_last]} | set(in_use)
    retained |= {c.id for c in best_of(training, retention.metric)[: retention.keep_best]}
    return [c for c in training if c.id not in retained and not c.pinned and not c.tags]


def best_of(newest_first: Sequence[Checkpoint], metric: str) -> list[Checkpoint]:
    """Those that have the metric, lowest first; of two equal ones the newer is first."""
    measured = [c for c in newest_first if math.isfinite(c.metrics.get(metric, math.nan))]
    return sorted(measured, key=lambda c: c.metrics[metric])
