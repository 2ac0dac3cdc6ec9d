"""Files, and the training loop, as the original scripts have them; and checkpoints of ours."""

import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from service.contract.checkpoints import Manifest, folder_name
from service.contract.exchange import ImportRequest
from workers.checkpoints.snapshot import CheckpointWriter
from workers.exchange.identify import signature
from workers.exchange.imports import import_file
from workers.exchange.publish import PublishedImport, publish_import
from workers.recipes import build
from workers.recipes.params import RecipeParams
from workers.recipes.table import recipe_named

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOTAL_ITERS = 40
SMALL = {
    "oneshot": "searched",
    "shufflenet_v1": "0.5x-g3",
    "shufflenet_v2": "0.5x",
    "shufflenet_v2_plus": "small",
    "detnas": "COCO_FPN_300M",
}
SMALLEST = SMALL | {"shufflenet_v2_large": "large", "shufflenet_v2_exlarge": "exlarge"}


def params_of(recipe: str) -> RecipeParams:
    """A short schedule."""
    model = recipe_named(recipe).params
    return model(total_iters=TOTAL_ITERS, learning_rate=0.01, batch_size=4, image_size=32)


def network_of(recipe: str, num_classes: int = 5) -> nn.Module:
    """The smallest network of a family; without dropout, so that two runs can be compared."""
    torch.manual_seed(0)
    return build(recipe, SMALL[recipe], num_classes, dropout=0.0)


def prefixed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Under the names of nn.DataParallel."""
    return {f"module.{name}": tensor for name, tensor in tensors.items()}


class OriginalRun:
    """SGD and LambdaLR as in the original train.py, on batches drawn from the step."""

    def __init__(self, network: nn.Module) -> None:
        self.network, self.step = network, 0
        named = list(network.named_parameters())
        decayed = [p for name, p in named if name.find("weight") >= 0 and len(p.size()) > 1]
        plain = [p for name, p in named if not (name.find("weight") >= 0 and len(p.size()) > 1)]
        groups = [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9, weight_decay=4e-5)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: 1.0 - step / TOTAL_ITERS
        )

    def losses(self, steps: int) -> list[float]:
        """Go on for so many steps."""
        found = []
        self.network.train()
        for _ in range(steps):
            with warnings.catch_warnings():
                # The original steps its schedule first, and torch advises against it.
                warnings.simplefilter("ignore", UserWarning)
                self.schedule.step()
            self.step += 1
            loss = loss_at(self.network, self.step)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            found.append(loss.item())
        return found

    def content(self) -> dict[str, Any]:
        """What save_checkpoint of DetNAS and Large is given."""
        return {
            "state_dict": self.network.state_dict(),
            "optimizer_state_dict": self.optimizer.state_dict(),
            "lr_scheduler_state_dict": self.schedule.state_dict(),
        }


def loss_at(network: nn.Module, step: int) -> Tensor:
    """The loss on the batch of a step."""
    draw = torch.Generator().manual_seed(step)
    images = torch.randn(4, 3, 32, 32, generator=draw)
    labels = torch.randint(0, 5, (4,), generator=draw)
    return cross_entropy(network(images), labels, label_smoothing=0.1)


def imported(root: Path, file: str, **request: Any) -> PublishedImport:
    """Import a file into an attempt folder of its own below `root`."""
    folder = root / f"attempt-{len(list(root.glob('attempt-*')))}"
    folder.mkdir()
    read = import_file(ImportRequest(file=file, **request), root)
    return published(read, folder)


def published(read: Any, folder: Path, **more: Any) -> PublishedImport:
    """The folder of a file that was read."""
    names = {"checkpoint_id": "ckpt_1", "job_id": "job_1", "attempt": 1, "created_at": NOW}
    return publish_import(read, folder, **names, **more)


def saved(
    folder: Path,
    recipe: str,
    tensors: dict[str, Tensor],
    *,
    momentum: dict[str, Tensor] | None = None,
    step: int = 3,
    variant: str | None = None,
    class_names: tuple[str, ...] = (),
) -> tuple[Path, Manifest]:
    """A checkpoint as our trainer writes it: `train` with momentum, else `final`."""
    found: list[tuple[Path, Manifest]] = []
    manifest = Manifest(
        checkpoint_id="ckpt_0",
        job_id="job_0",
        attempt=1,
        step=step,
        phase="final" if momentum is None else "train",
        recipe=recipe,
        variant=variant or SMALLEST[recipe],
        num_classes=5,
        class_names=class_names,
        image_size=32,
        preprocessing="bgr255",
        spec_sha256="",
        world_size=1,
        created_at=NOW,
        files={},
    )
    writer = CheckpointWriter(
        folder, on_published=lambda *it: found.append(it), on_failed=lambda _: None
    )
    writer.save(manifest, tensors, momentum or {}, [])
    assert writer.close() is None
    assert found[0][0].name == folder_name(manifest.phase, step)
    return found[0]


def short_weights(recipe: str) -> dict[str, Tensor]:
    """A value for each name in few bytes: what is proven with them is names, order and aliases."""
    network = signature(recipe, SMALLEST[recipe])
    tensors: dict[str, Tensor] = {}
    for name, tensor in network.tensors.items():
        first = network.aliases.get(name)
        shape = (5, *tensor.shape[1:]) if 1000 in tensor.shape[:1] else tuple(tensor.shape)
        value = zlib.crc32(name.encode()) % 251
        kind = torch.float16 if tensor.is_floating_point() else torch.uint8
        tensors[name] = tensors[first] if first else torch.full(shape, value, dtype=kind)
    return tensors


@contextmanager
def evaluated(*networks: nn.Module) -> Iterator[None]:
    """In eval mode, without gradients."""
    for network in networks:
        network.eval()
    with torch.no_grad():
        yield
