"""What an eval predicted for each image, and the files that show it."""

import base64
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from service.contract.checkpoints import FileDigest
from service.contract.csv_text import csv_text
from workers.data.images import ImageDataset
from workers.exchange.whole import whole_file
from workers.training.distributed import Ranks

EVALUATION, CONFUSION = "evaluation.json", "confusion_matrix.csv"
_SHOWN, _PREVIEWED, _PREVIEW_PIXELS = 200, 24, 64


class Predictions:
    """Of each image of this rank's share its class, the predicted one and how sure that is."""

    def __init__(self) -> None:
        self._labels: list[Tensor] = []
        self._classes: list[Tensor] = []
        self._confidences: list[Tensor] = []

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Note a batch of logits (N, C) and labels (N,); batches come in the images' order."""
        highest, predicted = logits.max(dim=1)
        # They stay on the device: to copy each batch to the host would wait for it. Labels that a
        # loader process made are in memory that is shared, each with an open file of this process.
        self._labels.append(labels.clone())
        self._classes.append(predicted)
        self._confidences.append((highest - logits.logsumexp(dim=1)).exp_())

    def gathered(self, ranks: Ranks, size: int) -> "Predicted":
        """All ranks' shares in the order of the data set's `size` images; on each rank."""
        own = (
            _joined(self._labels, np.int64),
            _joined(self._classes, np.int64),
            _joined(self._confidences, np.float32),
        )
        images = Predicted(
            np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.float32)
        )
        for rank, (labels, predicted, confidence) in enumerate(ranks.gathered(own)):
            images.labels[rank :: ranks.world_size] = labels
            images.classes[rank :: ranks.world_size] = predicted
            images.confidences[rank :: ranks.world_size] = confidence
        return images


@dataclass(frozen=True)
class Predicted:
    """By image: its class, the predicted one, and the probability of that."""

    labels: NDArray[np.int64]
    classes: NDArray[np.int64]
    confidences: NDArray[np.float32]

    def confusion(self, classes: int) -> NDArray[np.int64]:
        """How many images of each class (rows) were taken for each class (columns)."""
        pairs = np.bincount(self.labels * classes + self.classes, minlength=classes**2)
        return pairs.reshape(classes, classes)


def write_evaluation(folder: Path, images: ImageDataset, predicted: Predicted) -> dict[str, Any]:
    """Write `evaluation.json` and `confusion_matrix.csv`; what the result says of them.

    The matrix counts images by their class (rows) and the predicted class (columns).
    """
    names = images.class_names
    labels, classes = predicted.labels, predicted.classes
    confusion = predicted.confusion(len(names))
    rows = list(_row_texts(confusion))
    samples, correct = confusion.sum(axis=1), confusion.diagonal()
    accuracy = [float(c / s) if s else None for c, s in zip(correct, samples, strict=True)]
    evaluation = {
        "class_names": names,
        "per_class": [
            {"class": name, "samples": int(s), "correct": int(c), "accuracy": a}
            for name, s, c, a in zip(names, samples, correct, accuracy, strict=True)
        ],
        "wrong": _wrong(images, predicted),
        "wrong_total": int((labels != classes).sum()),
    }
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        EVALUATION: _write(folder / EVALUATION, _as_json(evaluation, rows)),
        CONFUSION: _write(folder / CONFUSION, _as_csv(names, rows)),
    }
    known = [a for a in accuracy if a is not None]
    return {
        "mean_class_accuracy": sum(known) / len(known),
        "files": {name: digest.model_dump() for name, digest in files.items()},
    }


def _wrong(images: ImageDataset, predicted: Predicted) -> list[dict[str, Any]]:
    # The surest mistakes first: they show the most.
    labels = predicted.labels
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


def _row_texts(confusion: NDArray[np.int64]) -> Iterator[str]:
    """Each row's numbers, joined by commas; almost all of them are 0 where classes are many."""
    zeros = ["0"] * len(confusion)
    for row in confusion:
        texts = zeros.copy()
        for column in np.flatnonzero(row):
            texts[column] = str(row[column])
        yield ",".join(texts)


def _as_json(evaluation: dict[str, Any], rows: Sequence[str]) -> str:
    # The matrix is most of the text, and its rows are texts already.
    matrix = ",".join(f"[{row}]" for row in rows)
    rest = json.dumps(evaluation, allow_nan=False)
    return f'{{"confusion_matrix": [{matrix}], {rest.removeprefix("{")}'


def _as_csv(names: Sequence[str], rows: Sequence[str]) -> str:
    head = csv_text([["class \\ predicted", *names]])
    # The name as a cell, with the comma behind it.
    lines = (
        csv_text([[name, ""]]).removesuffix("\n") + row
        for name, row in zip(names, rows, strict=True)
    )
    return head + "".join(f"{line}\n" for line in lines)


def _write(path: Path, text: str) -> FileDigest:
    body = text.encode()
    with whole_file(path) as partial:
        partial.write_bytes(body)
    return FileDigest(bytes=len(body), sha256=hashlib.sha256(body).hexdigest())


def _joined(parts: Sequence[Tensor], kind: type) -> NDArray[Any]:
    return torch.cat(list(parts)).cpu().numpy() if parts else np.empty(0, kind)
