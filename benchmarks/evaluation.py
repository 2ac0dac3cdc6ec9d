"""What the confusion matrix and the mistakes cost of an eval, and its loop against a plain one."""

import io
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from workers.training.eval_batches import eval_batch_size
from workers.training.eval_execution import prepare_eval
from workers.training.evaluate import evaluate
from workers.training.execution import Execution

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
        self._photos = [_photo(number) for number in range(2)]
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
        """Decoded from a JPEG, as of a folder."""
        return Image.open(self._photos[index % 2]).convert("RGB")


def _photo(sigma: int) -> io.BytesIO:
    # Of the size of ImageNet's images.
    content = io.BytesIO()
    Image.effect_noise((500, 375), 32 + sigma).convert("RGB").save(content, "JPEG", quality=90)
    return content


@dataclass
class CpuTime:
    """CPU seconds of this process in what it is around."""

    seconds: list[float] = field(default_factory=list)

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Around a part; each counts."""
        began = time.process_time()
        yield
        self.seconds.append(time.process_time() - began)

    @property
    def total(self) -> float:
        """Of all parts."""
        return sum(self.seconds)


@dataclass(frozen=True)
class Round:
    """CPU seconds of an eval without what it writes, of that, and of a plain loop."""

    loop: float
    written: float
    plain: float


def measure(scale: Scale = Scale()) -> Section:
    """Evals and plain loops in turn, over the same images and weights.

    What the confusion and the mistakes take is measured within each eval, since it is less than
    two evals differ by.
    """
    torch.set_num_threads(1)
    images, recipe = NoiseImages(scale), recipe_named("oneshot")
    plain = recipe.build("searched", scale.classes, recipe.params())
    tuned = recipe.build("searched", scale.classes, recipe.params())
    tuned.load_state_dict(plain.state_dict())
    execution = prepare_eval(tuned, recipe.params(image_size=scale.size), _CPU)
    rounds = []
    for number in range(scale.rounds):
        loop, written = _eval(tuned, images, scale, execution)
        rounds.append(Round(loop, written, _plain(plain, images)))
        sys.stderr.write(f"{number} {rounds[-1]}\n")
    return _section(scale, rounds)


def _section(scale: Scale, rounds: list[Round]) -> Section:
    seconds = {
        "a plain loop, 200 images at once": median(each.plain for each in rounds),
        "the loop of an eval": median(each.loop for each in rounds),
        "its confusion matrix and mistakes": median(each.written for each in rounds),
    }
    return Section(
        title="Validation and eval",
        says=f"CPU time of one thread for {scale.images:,} images of {scale.size} pixels and "
        f"{scale.classes:,} classes by OneShot, without decoding, the median of {scale.rounds} "
        "rounds in turn. An eval writes the confusion matrix, the mistakes and 24 previews: most "
        "of what they cost is the same for any number of images.",
        columns=("way", "CPU s", "for each image"),
        rows=tuple(
            (name, f"{each:.3f}", f"{each / scale.images * 1e3:.3f} ms")
            for name, each in seconds.items()
        ),
        figures=(
            Figure(
                key="whole_ratio",
                what="a whole eval against its loop",
                value=1 + median(each.written / each.loop for each in rounds),
                better="lower",
                goal=_GOAL,
            ),
            Figure(
                key="plain_ratio",
                what="the speed of the loop against a plain one",
                value=median(each.plain / each.loop for each in rounds),
                better="higher",
            ),
        ),
    )


def _eval(
    network: nn.Module, images: NoiseImages, scale: Scale, execution: Execution
) -> tuple[float, float]:
    """CPU seconds of the loop, and of the confusion and the mistakes."""
    predictions, alone = Predictions(), Ranks(rank=0, world_size=1, device=_CPU)
    whole, extra = CpuTime(), CpuTime()

    def on_batch(logits: Tensor, labels: Tensor) -> None:
        with extra.measured():
            predictions.add(logits, labels)

    with tempfile.TemporaryDirectory(prefix="evaluation-") as folder, whole.measured():
        evaluate(
            network,
            images,
            alone,
            batch_size=eval_batch_size(_CPU, scale.size),
            num_workers=0,
            stop_asked=lambda: False,
            pulse=lambda: None,
            execution=execution,
            on_batch=on_batch,
        )
        with extra.measured():
            predicted = predictions.gathered(alone, len(images))
            write_evaluation(Path(folder), images, predicted)
    return whole.total - extra.total, extra.total


def _plain(network: nn.Module, images: NoiseImages) -> float:
    """CPU seconds of a loop as users write it."""
    network.eval()
    total, wrong, spent = 0.0, 0, CpuTime()
    with torch.no_grad(), spent.measured():
        for batch in val_batches(images, batch_size=_PLAIN_BATCH, num_workers=0):
            logits = network(batch.images)
            total += cross_entropy(logits, batch.labels, reduction="sum").item()
            wrong += int((logits.argmax(1) != batch.labels).sum().item())
    return spent.total
