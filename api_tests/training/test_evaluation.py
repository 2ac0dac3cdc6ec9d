"""What an eval leaves: the confusion matrix, the accuracy of each class, the wrong examples."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from service.contract.checkpoints import FileDigest
from workers.data.images import SplitRequest
from workers.data.sources.digits import Digits
from workers.data.sources.folders import ImageFolder
from workers.data.transforms import preprocess_of
from workers.runs.predictions import Predicted, Predictions, write_evaluation
from workers.training.distributed import Ranks
from workers.training.evaluate import evaluate


def _val(data_root: Path) -> SplitRequest:
    return SplitRequest("val", 32, 0, preprocess_of("bgr255"), data_root)


def _alone() -> Ranks:
    return Ranks(rank=0, world_size=1, device=torch.device("cpu"))


def test_the_files_count_every_image_and_name_the_wrong_ones(tmp_path: Path) -> None:
    digits = Digits(_val(Path()))
    labels = np.array([digits.label_of(index) for index in range(len(digits))])
    predicted = labels.copy()
    predicted[3], predicted[100] = (labels[3] + 1) % 10, (labels[100] + 2) % 10
    sure = np.full(len(digits), 0.5, np.float32)
    sure[100] = 0.9
    result = write_evaluation(tmp_path, digits, Predicted(predicted, sure))
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
    predictions.add(torch.tensor([[0.0, 9.0], [9.0, 0.0]]))
    predictions.add(torch.tensor([[0.0, 1.0]]))
    found = predictions.gathered(_alone(), 3)
    assert found.classes.tolist() == [1, 0, 1]
    assert found.confidences[0] > found.confidences[2] > 0.7


def test_a_validation_shows_with_each_batch_that_it_goes_on() -> None:
    digits = Digits(_val(Path()))
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))
    shown: list[int] = []
    found = evaluate(
        network,
        digits,
        _alone(),
        num_workers=0,
        stop_asked=lambda: False,
        pulse=lambda: shown.append(1),
    )
    assert found["samples"] == 360
    assert len(shown) == 2


def test_an_image_in_a_folder_is_named_by_its_class_and_file(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name / "more").mkdir(parents=True)
        Image.new("RGB", (40, 30)).save(tmp_path / name / "more" / "one.png")
    images = ImageFolder(".", _val(tmp_path))
    assert images.name_of(1) == "dog/more/one.png"
    assert images.label_of(1) == 1
    assert images.picture(1).size == (40, 30)
