"""What a worker may be given to do."""

from typing import Any

from api_tests.support.specs import complete_spec
from service.contract.agent import Claim, Lease

PARAMS = {
    "total_iters": 12,
    "batch_size": 16,
    "image_size": 32,
    "learning_rate": 0.05,
    "val_interval": 6,
    "save_interval": 4,
    "display_interval": 2,
    "bn_recalibration_iters": 4,
}

LONG = {"total_iters": 5000, "save_interval": 5000, "val_interval": 5000}
"""The parameters of a training that does not end by itself while a test runs."""


def a_claim(job_id: str = "job_1", attempt: int = 1, **fields: Any) -> Claim:
    """A training on the digits; `fields` replace its values, `params` and `lease` add to them."""
    params = PARAMS | fields.pop("params", {})
    lease = {"heartbeat_seconds": 1, "self_end_seconds": 60, "kill_grace_seconds": 20}
    lease["stall_seconds"] = 600
    lease |= fields.pop("lease", {})
    spec = {
        "kind": "train",
        "recipe": "oneshot",
        "data": {"dataset": "digits"},
        "params": params,
        "resources": {
            "gpus": fields.pop("gpus", 0),
            "ranks": fields.pop("ranks", 1),
            "hosts": fields.pop("hosts", 1),
        },
    }
    return Claim(
        job_id=job_id,
        attempt=attempt,
        token=f"secret-{job_id}",
        spec=complete_spec(spec),
        lease=Lease(**lease),
        **fields,
    )
