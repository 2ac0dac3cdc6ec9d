"""What an eval predicted for each image, and the files that show it."""

import base64
import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from service.contract.checkpoints import FileDigest
from workers.data.images import ImageDataset
from workers.exchange.whole import whole_file
from workers.training.distributed import Ranks

EVALUATION, CONFUSION = "evaluation.json", "confusion_matrix.csv"
_SHOWN, _PREVIEWED, _PREVIEW_PIXELS = 200, 24, 64


class Predictions:
    """The class predicted for each image of this rank's share, and how sure the network was."""

    def __init__(self) -> None:
        self._classes: list[Tensor] = []
        self._confidences: list[Tensor] = []

    def add(self, logits: Tensor) -> None:
        """Note a batch of (N, C) logits; the batches come in the order of the images."""
        confidence, predicted = logits.softmax(dim=1).max(dim=1)
        # They stay on the device: to copy each batch would wait for it.
        self._classes.append(predicted)
        self._confidences.append(confidence.float())

    def gathered(self, ranks: Ranks, size: int) -> "Predicted":
        """All ranks' shares in the order of the data set's `size` images; on each rank."""
        own = (_joined(self._classes, np.int64), _joined(self._confidences, np.float32))
        classes = np.empty(size, np.int64)
        confidences = np.empty(size, np.float32)
        for rank, (predicted, confidence) in enumerate(ranks.gathered(own)):
            classes[rank :: ranks.world_size] = predicted
            confidences[rank :: ranks.world_size] = confidence
        return Predicted(classes, confidences)


@dataclass(frozen=True)
class Predicted:
    """By image: the predicted class, and its probability."""

    classes: NDArray[np.int64]
    confidences: NDArray[np.float32]


def write_evaluation(folder: Path, images: ImageDataset, predicted: Predicted) -> dict[str, Any]:
    """Write `evaluation.json` and `confusion_matrix.csv`; what the result says of them.

    The matrix counts images by their class (rows) and the predicted class (columns).
    """
    names = images.class_names
    labels = np.array([images.label_of(index) for index in range(len(images))])
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (labels, predicted.classes), 1)
    samples, correct = confusion.sum(axis=1), confusion.diagonal()
    accuracy = [float(c / s) if s else None for c, s in zip(correct, samples, strict=True)]
    evaluation = {
        "class_names": names,
        "confusion_matrix": confusion.tolist(),
        "per_class": [
            {"class": name, "samples": int(s), "correct": int(c), "accuracy": a}
            for name, s, c, a in zip(names, samples, correct, accuracy, strict=True)
        ],
        "wrong": _wrong(images, labels, predicted),
        "wrong_total": int((labels != predicted.classes).sum()),
    }
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        EVALUATION: _write(folder / EVALUATION, json.dumps(evaluation, allow_nan=False)),
        CONFUSION: _write(folder / CONFUSION, _as_csv(names, confusion)),
    }
    known = [a for a in accuracy if a is not None]
    return {
        "mean_class_accuracy": sum(known) / len(known),
        "files": {name: digest.model_dump() for name, digest in files.items()},
    }


def _wrong(
    images: ImageDataset, labels: NDArray[np.int64], predicted: Predicted
) -> list[dict[str, Any]]:
    # The surest mistakes first: they show the most.
    wrong = np.flatnonzero(labels != predicted.classes)
    wrong = wrong[np.argsort(-predicted.confidences[wrong], kind="stable")][:_SHOWN]
    return [
        {
            "image": images.name_of(int(index)),
            "class": images.class_names[labels[index]],
            "predicted": images.class_names[predicted.classes[index]],
            "confidence": round(float(predicted.confidences[index]), 4),
            "preview": _data_url(images.picture(int(index))) if position < _PREVIEWED else None,
        }
        for position, index in enumerate(wrong)
    ]


def _data_url(picture: Image.Image) -> str:
    picture.thumbnail((_PREVIEW_PIXELS, _PREVIEW_PIXELS))
    encoded = io.BytesIO()
    picture.save(encoded, "PNG")
    return f"data:image/png;base64,{base64.b64encode(encoded.getvalue()).decode()}"


def _as_csv(names: Sequence[str], confusion: NDArray[np.int64]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["class \\ predicted", *names])
    for name, row in zip(names, confusion.tolist(), strict=True):
        writer.writerow([name, *row])
    return text.getvalue()


def _write(path: Path, text: str) -> FileDigest:
    body = text.encode()
    with whole_file(path) as partial:
        partial.write_bytes(body)
    return FileDigest(bytes=len(body), sha256=hashlib.sha256(body).hexdigest())


def _joined(parts: Sequence[Tensor], kind: type) -> NDArray[Any]:
    return torch.cat(list(parts)).cpu().numpy() if parts else np.empty(0, kind)
