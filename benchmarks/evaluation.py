"""An eval with its confusion matrix and mistakes, against its loop alone and a plain loop."""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.report import Figure, Section
from workers.data.loader import val_batches
from workers.recipes.table import recipe_named
from workers.runs.predictions import Predictions, write_evaluation
from workers.training.distributed import Ranks
from workers.training.eval_batches import eval_batch_size, use_fastest_format
from workers.training.evaluate import evaluate

_GOAL = 1.05
_PLAIN_BATCH = 200
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Scale:
    """How much is measured: images of so many pixels and classes, and how often."""

    images: int = 1000
    classes: int = 1000
    size: int = 224
    rounds: int = 5


class NoiseImages:
    """Images of noise that cost no decoding, so that what follows the network weighs the most."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._inputs = torch.rand(16, 3, scale.size, scale.size) * 255
        self.class_names = tuple(f"class {number}" for number in range(scale.classes))

    def __len__(self) -> int:
        return self._scale.images

    def sample(self, epoch: int, index: int) -> tuple[Tensor, int]:
        """One of a few inputs, and a class."""
        return self._inputs[(epoch + index) % len(self._inputs)], self.label_of(index)

    def label_of(self, index: int) -> int:
        """The classes in turn."""
        return index % self._scale.classes

    def name_of(self, index: int) -> str:
        """As of a file."""
        return f"class/{index}.jpg"

    def picture(self, index: int) -> Image.Image:
        """Of the size of ImageNet's images."""
        return Image.effect_noise((500, 375), 32 + index % 32).convert("RGB")


def measure(scale: Scale = Scale()) -> Section:
    """CPU seconds of the three ways, in turn, over the same images and weights."""
    torch.set_num_threads(1)
    images, recipe = NoiseImages(scale), recipe_named("oneshot")
    plain = recipe.build("searched", scale.classes, recipe.params())
    tuned = recipe.build("searched", scale.classes, recipe.params())
    tuned.load_state_dict(plain.state_dict())
    use_fastest_format(tuned, _CPU, scale.size)
    with tempfile.TemporaryDirectory(prefix="evaluation-") as folder:
        ways: dict[str, Callable[[], object]] = {
            "a plain loop, 200 images at once": lambda: _plain(plain, images),
            "the loop of an eval": lambda: _loop(tuned, images, scale, lambda _: None),
            "a whole eval": lambda: _whole(tuned, images, scale, Path(folder)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(scale.rounds):
            for name, run in ways.items():
                began = time.process_time()
                run()
                seconds[name].append(time.process_time() - began)
                sys.stderr.write(f"{number} {name} {seconds[name][-1]:.2f} s\n")
    by_plain, loop, whole = (median(each) for each in seconds.values())
    return Section(
        title="Validation and eval",
        says=f"CPU time of one thread for {scale.images:,} images of {scale.size} pixels and "
        f"{scale.classes:,} classes by OneShot, without decoding, the median of {scale.rounds} "
        "rounds in turn. A whole eval writes the confusion matrix, the mistakes and 24 previews.",
        columns=("way", "CPU s", "for each image"),
        rows=tuple(
            (name, f"{median(each):.2f}", f"{median(each) / scale.images * 1e3:.2f} ms")
            for name, each in seconds.items()
        ),
        figures=(
            Figure(
                key="whole_ratio",
                what="a whole eval against its loop",
                value=whole / loop,
                better="lower",
                goal=_GOAL,
            ),
            Figure(
                key="plain_ratio",
                what="the speed of the loop against a plain one",
                value=by_plain / loop,
                better="higher",
            ),
        ),
    )


def _loop(
    network: nn.Module, images: NoiseImages, scale: Scale, on_logits: Callable[[Tensor], None]
) -> None:
    evaluate(
        network,
        images,
        Ranks(rank=0, world_size=1, device=_CPU),
        batch_size=eval_batch_size(_CPU, scale.size),
        num_workers=0,
        stop_asked=lambda: False,
        pulse=lambda: None,
        on_logits=on_logits,
    )


def _whole(network: nn.Module, images: NoiseImages, scale: Scale, folder: Path) -> None:
    predictions = Predictions()
    _loop(network, images, scale, predictions.add)
    alone = Ranks(rank=0, world_size=1, device=_CPU)
    write_evaluation(folder, images, predictions.gathered(alone, len(images)))


def _plain(network: nn.Module, images: NoiseImages) -> float:
    network.eval()
    total, wrong = 0.0, 0
    with torch.no_grad():
        for batch in val_batches(images, batch_size=_PLAIN_BATCH, num_workers=0):
            logits = network(batch.images)
            total += cross_entropy(logits, batch.labels, reduction="sum").item()
            wrong += int((logits.argmax(1) != batch.labels).sum().item())
    return total / len(images)
