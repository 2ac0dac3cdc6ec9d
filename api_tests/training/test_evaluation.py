"""What an eval leaves: the confusion matrix, the accuracy of each class, the wrong examples."""

import csv
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from service.contract.checkpoints import FileDigest
from workers.data.errors import InvalidData
from workers.data.images import ImageDataset, SplitRequest
from workers.data.sources.digits import Digits
from workers.data.sources.folders import ImageFolder
from workers.data.transforms import preprocess_of
from workers.runs.predictions import Predicted, Predictions, write_evaluation
from workers.training.attempt_results import Stopped
from workers.training.distributed import Ranks
from workers.training.eval_batches import EvalForward
from workers.training.evaluate import evaluate
from workers.training.execution import Execution


def _val(data_root: Path) -> SplitRequest:
    return SplitRequest("val", 32, 0, preprocess_of("bgr255"), data_root)


def _alone() -> Ranks:
    return Ranks(rank=0, world_size=1, device=torch.device("cpu"))


def _evaluated(network: nn.Module, images: ImageDataset, **options: Any) -> dict[str, float]:
    """What one rank finds, in batches of 200 without loaders unless `options` say otherwise."""
    usual = {"batch_size": 200, "num_workers": 0, "stop_asked": lambda: False}
    return evaluate(network, images, _alone(), **(usual | {"pulse": lambda: None} | options))


def test_the_files_count_every_image_and_name_the_wrong_ones(tmp_path: Path) -> None:
    digits = Digits(_val(Path()))
    labels = np.array([digits.label_of(index) for index in range(len(digits))])
    predicted = labels.copy()
    predicted[3], predicted[100] = (labels[3] + 1) % 10, (labels[100] + 2) % 10
    sure = np.full(len(digits), 0.5, np.float32)
    sure[100] = 0.9
    result = write_evaluation(tmp_path, digits, Predicted(labels, predicted, sure))
    for name, digest in result["files"].items():
        body = (tmp_path / name).read_bytes()
        assert FileDigest.model_validate(digest).sha256 == hashlib.sha256(body).hexdigest()

    shown = json.loads((tmp_path / "evaluation.json").read_text())
    matrix = np.array(shown["confusion_matrix"])
    assert matrix.sum() == 360
    assert matrix.trace() == 358
    assert shown["wrong_total"] == 2
    assert [wrong["image"] for wrong in shown["wrong"]] == ["digit 500", "digit 15"]
    assert shown["wrong"][0]["class"] == str(labels[100])
    assert shown["wrong"][0]["predicted"] == str(predicted[100])
    assert shown["wrong"][0]["preview"].startswith("data:image/png;base64,")
    of_class = {row["class"]: row for row in shown["per_class"]}
    assert of_class[str(labels[3])]["accuracy"] < 1

    with (tmp_path / "confusion_matrix.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0][1:] == list(digits.class_names)
    assert [[int(cell) for cell in row[1:]] for row in rows[1:]] == shown["confusion_matrix"]


def test_predictions_are_gathered_in_the_order_of_the_images() -> None:
    predictions = Predictions()
    logits = torch.tensor([[0.0, 9.0], [9.0, 0.0], [0.0, 1.0]])
    predictions.add(logits[:2], torch.tensor([1, 1]))
    predictions.add(logits[2:], torch.tensor([0]))
    found = predictions.gathered(_alone(), 3)
    assert found.labels.tolist() == [1, 1, 0]
    assert found.classes.tolist() == [1, 0, 1]
    assert found.confidences == pytest.approx(logits.softmax(1).amax(1))


def test_predictions_hold_no_file_open_for_each_batch_of_a_loader_process() -> None:
    predictions, opened = Predictions(), []

    def add(logits: Tensor, labels: Tensor) -> None:
        predictions.add(logits, labels)
        opened.append(len(os.listdir("/proc/self/fd")))

    digits = Digits(_val(Path()))
    _evaluated(_tiny(), digits, batch_size=6, num_workers=1, on_batch=add)
    # Of the batches that are ahead of the network.
    assert opened[-1] < opened[0] + 10
    labels = predictions.gathered(_alone(), len(digits)).labels
    assert labels.tolist() == [digits.label_of(index) for index in range(len(digits))]


def test_the_names_of_classes_are_quoted_in_the_confusion_matrix(tmp_path: Path) -> None:
    images = Digits(_val(Path()))
    images.class_names = ('a, "b"', *images.class_names[1:])
    labels = np.zeros(len(images), np.int64)
    sure = np.ones(len(images), np.float32)
    write_evaluation(tmp_path, images, Predicted(labels, labels, sure))
    with (tmp_path / "confusion_matrix.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0][1] == rows[1][0] == 'a, "b"'
    assert rows[1][1:] == ["360", *["0"] * 9]


def test_a_validation_shows_with_each_batch_that_it_goes_on() -> None:
    digits = Digits(_val(Path()))
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))
    shown: list[int] = []
    found = _evaluated(network, digits, pulse=lambda: shown.append(1))
    assert found["samples"] == 360
    assert len(shown) == 2


def _tiny() -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10), nn.Dropout(0.5))


class _SmallMemory(nn.Module):
    """A network that has room for three images at once, and notes how many it was given."""

    def __init__(self, problem: str = "CUDA out of memory. Tried to allocate 2.00 GiB") -> None:
        super().__init__()
        self._inner, self._problem = _tiny(), problem
        self.sizes: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.sizes.append(len(images))
        if len(images) > 3:
            raise torch.OutOfMemoryError(self._problem)
        logits: Tensor = self._inner(images)
        return logits


def _inputs(size: int) -> Tensor:
    return torch.rand(size, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def test_a_batch_that_does_not_fit_is_computed_in_parts_and_later_ones_at_once() -> None:
    network = _SmallMemory().eval()
    forward = EvalForward(network)
    with torch.inference_mode():
        logits = forward(_inputs(14))
        assert network.sizes == [14, 7, 3, 3, 3, 3, 2]
        assert logits.equal(torch.cat([network(part) for part in _inputs(14).split(3)]))
        network.sizes.clear()
        forward(_inputs(5))
    assert network.sizes == [3, 2]


@pytest.mark.parametrize(("size", "message"), [(1, "memory"), (14, "expected 3 channels")])
def test_one_image_that_does_not_fit_and_any_other_error_end_an_evaluation(
    size: int, message: str
) -> None:
    class Broken(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            if len(images) == 1:
                raise torch.OutOfMemoryError("CUDA out of memory")
            raise RuntimeError("expected 3 channels")

    with pytest.raises(RuntimeError, match=message):
        EvalForward(Broken())(_inputs(size))


@pytest.mark.parametrize("fails", ["stopped", "broken data"])
def test_a_network_trains_on_after_a_validation_that_did_not_end(fails: str) -> None:
    network = _tiny().train()

    def pulse() -> None:
        assert not network.training
        if fails == "broken data":
            raise InvalidData("an image does not decode")

    with pytest.raises((Stopped, InvalidData)):
        _evaluated(
            network, Digits(_val(Path())), stop_asked=lambda: fails == "stopped", pulse=pulse
        )
    assert network.training


@pytest.mark.parametrize("batch_size", [1, 7, 360])
def test_the_size_of_its_batches_changes_a_validation_by_rounding_alone(batch_size: int) -> None:
    torch.manual_seed(0)
    network, digits = _tiny(), Digits(_val(Path()))
    of_200, measured = (_evaluated(network, digits, batch_size=size) for size in (200, batch_size))
    assert measured["loss"] == pytest.approx(of_200["loss"], rel=1e-6)
    assert {**measured, "loss": 0} == {**of_200, "loss": 0}


def test_an_eval_in_bf16_differs_by_its_rounding() -> None:
    torch.manual_seed(0)
    network, digits = _tiny(), Digits(_val(Path()))
    types: list[torch.dtype] = []
    network.register_forward_hook(lambda _, __, logits: types.append(logits.dtype))
    in_fp32, in_bf16 = (
        _evaluated(network, digits, execution=Execution(precision))
        for precision in ("fp32", "bf16")
    )
    assert types == [torch.float32] * 2 + [torch.bfloat16] * 2
    assert in_bf16["loss"] == pytest.approx(in_fp32["loss"], rel=2e-2)
    assert in_bf16["loss"] != in_fp32["loss"]


def test_an_image_in_a_folder_is_named_by_its_class_and_file(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name / "more").mkdir(parents=True)
        Image.new("RGB", (40, 30)).save(tmp_path / name / "more" / "one.png")
    images = ImageFolder(".", _val(tmp_path))
    assert images.name_of(1) == "dog/more/one.png"
    assert images.label_of(1) == 1
    assert images.picture(1).size == (40, 30)
