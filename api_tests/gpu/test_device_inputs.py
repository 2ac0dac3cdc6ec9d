"""Inputs that are copied beside the steps are those that are copied before each step."""

from pathlib import Path

import pytest
import torch

from api_tests.support.attempts import draw_photos
from api_tests.support.devices import DEVICES
from service.contract.specs import DataSpec
from workers.data.batch_transform import transform_of
from workers.data.images import ImageDataset, SplitRequest
from workers.data.loader import train_batches
from workers.data.sources import open_split
from workers.data.transforms import preprocess_of
from workers.training.device_inputs import (
    STEPS_AHEAD,
    DecodedInputs,
    StreamedInputs,
    to_inputs_on,
)

BATCHES = 6


def photos(root: Path, preprocessing: str = "bgr_normalized") -> ImageDataset:
    draw_photos(root)
    request = SplitRequest("train", 32, 0, preprocess_of(preprocessing), root)
    return open_split(DataSpec(train_dir="train", val_dir="val"), request)


@pytest.mark.parametrize("preprocessing", ["bgr255", "bgr_normalized"])
@pytest.mark.parametrize("device", DEVICES)
def test_inputs_of_a_stream_of_their_own_are_those_of_the_plain_path(
    tmp_path: Path, device: str, preprocessing: str
) -> None:
    images = photos(tmp_path, preprocessing)
    target, transform = torch.device(device), transform_of(images)
    streamed = StreamedInputs(target, DecodedInputs(transform))
    batches = train_batches(
        images,
        seed=0,
        start_step=0,
        batch_size=8,
        num_workers=0,
        augment_on="device",
        pinned=device == "cuda",
    )
    for _ in range(BATCHES):
        batch = next(batches)
        # Work of a step, behind which a copy that did not wait would be seen.
        load = torch.ones(512, 512, device=target)
        for _ in range(20):
            load = load @ load * 0.001
        inputs, labels = streamed(batch, torch.channels_last)
        plain, _ = transform(batch.to(target), torch.channels_last)
        assert inputs.device.type == labels.device.type == device
        assert inputs.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(inputs, plain)
        assert torch.equal(labels.cpu(), batch.labels)


@pytest.mark.parametrize("device", DEVICES)
def test_the_device_augments_as_a_loader_does(tmp_path: Path, device: str) -> None:
    images = photos(tmp_path)
    to_inputs = to_inputs_on(torch.device(device), transform_of(images))
    by_loader, by_device = (
        train_batches(
            images, seed=0, start_step=0, batch_size=8, num_workers=processes, augment_on=where
        )
        for where, processes in (("loader", 0), ("device", 2))
    )
    for _ in range(BATCHES):
        expected, labels = to_inputs_on(torch.device("cpu"), transform_of(images))(next(by_loader))
        inputs, their_labels = to_inputs(next(by_device))
        assert torch.equal(their_labels.cpu(), labels)
        # Rounded once more or less by another device: far below a grey level.
        torch.testing.assert_close(inputs.cpu(), expected, rtol=0, atol=1e-4)


def test_the_host_waits_for_all_but_the_newest_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    class Event:
        made = 0

        def record(self, _: object) -> None:
            Event.made += 1
            self.step = Event.made
            order.append(f"queued {self.step}")

        def synchronize(self) -> None:
            order.append(f"done {self.step}")

    monkeypatch.setattr(torch.cpu, "Event", Event)
    images = photos(tmp_path)
    streamed = StreamedInputs(torch.device("cpu"), DecodedInputs(transform_of(images)))
    batches = train_batches(images, seed=0, start_step=0, batch_size=8, num_workers=0)
    for _ in range(STEPS_AHEAD + 2):
        streamed(next(batches))
    assert order == ["queued 1", "queued 2", "queued 3", "done 1", "queued 4", "done 2"]
