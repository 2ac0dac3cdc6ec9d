"""`python -m benchmarks.ray_training FILE`: what a Ray job runs, a training by Ray Train.

It writes FILE once the first step is done. Ray is no dependency: the benchmark installs it.
"""

import sys
from pathlib import Path
from typing import Any


def train(config: dict[str, Any]) -> None:
    """One step of OneShot on two images of 32 px, as the job that it is compared with."""
    import torch

    from benchmarks.our_loop import OurLoop
    from workers.recipes.table import recipe_named

    params = recipe_named("oneshot").params(batch_size=2, image_size=32)
    loop = OurLoop("oneshot", "searched", params, torch.device("cpu"))
    loop.step(torch.rand(2, 3, 32, 32) * 255, torch.zeros(2, dtype=torch.int64)).item()
    Path(config["file"]).touch()


def main(file: str) -> None:
    """Have Ray Train start one worker that trains."""
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    TorchTrainer(
        train,
        train_loop_config={"file": file},
        scaling_config=ScalingConfig(num_workers=1),
        run_config=RunConfig(storage_path=str(Path(file).parent)),
    ).fit()


if __name__ == "__main__":
    main(sys.argv[1])
