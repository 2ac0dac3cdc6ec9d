"""A training that still runs whenever a test ends it; a loader process is below its rank."""

from typing import Any

ENDLESS: dict[str, Any] = {
    "kind": "train",
    "recipe": "oneshot",
    "data": {"dataset": "digits"},
    "params": {
        "total_iters": 100_000,
        "batch_size": 4,
        "image_size": 32,
        "learning_rate": 0.01,
        "display_interval": 1,
        "data_workers": 1,
    },
}
