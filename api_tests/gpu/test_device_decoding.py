"""JPEGs that are decoded beside the steps; by nvJPEG on CUDA."""

import shutil
from pathlib import Path

import pytest
import torch

from api_tests.support.attempts import (
    attempt,
    ended,
    kill,
    losses,
    resumable,
    run,
    shown_step,
    start,
    train_spec,
    until,
)
from api_tests.support.devices import DEVICES, hide_gpus
from api_tests.support.jpegs import decode_on_cpu, write_photos
from chaos.kills import series
from service.contract.specs import DataSpec
from workers.data.batch_transform import transform_of
from workers.data.images import EncodedImages, SplitRequest
from workers.data.jpeg_decoder import JpegDecoder, nvjpeg
from workers.data.loader import encoded_train_batches, train_batches
from workers.data.sources import open_split
from workers.data.transforms import preprocess_of
from workers.training.device_inputs import DecodedInputs, StreamedInputs

pytestmark = pytest.mark.xdist_group("training")
SIZE, BATCHES = 32, 6
LEVELS = {"cpu": 1.0, "cuda": 4.0}
"""How far a mean pixel may be off: another decoder rounds and smooths colours in its own way."""
SPEC = train_spec(
    total_iters=12,
    save_interval=4,
    val_interval=6,
    preprocessing="bgr_normalized",
    decode_on="device",
)


@pytest.mark.parametrize("device", DEVICES)
def test_what_a_device_decodes_beside_the_steps_is_what_a_loader_decodes(
    tmp_path: Path, device: str
) -> None:
    write_photos(tmp_path)
    target = torch.device(device)
    request = SplitRequest("train", SIZE, 0, preprocess_of("bgr255"), tmp_path)
    images = open_split(DataSpec(train_dir="train", val_dir="val"), request)
    assert isinstance(images, EncodedImages)
    decode = nvjpeg(target) if device == "cuda" else decode_on_cpu
    decoder = JpegDecoder(images, SIZE, target, decode)
    streamed = StreamedInputs(target, DecodedInputs(transform_of(images), decoder))
    encoded = encoded_train_batches(
        images, seed=0, start_step=0, batch_size=8, num_workers=2, pinned=device == "cuda"
    )
    plain = train_batches(
        images, seed=0, start_step=0, batch_size=8, num_workers=0, augment_on="device"
    )
    for _ in range(BATCHES):
        expected, labels = transform_of(images)(next(plain))
        inputs, their_labels = streamed(next(encoded))
        assert inputs.device.type == device
        assert torch.equal(their_labels.cpu(), labels)
        assert (inputs.cpu() - expected).abs().mean() < LEVELS[device]


def test_a_job_without_gpus_that_names_the_device_ends_with_what_to_change(tmp_path: Path) -> None:
    write_photos(tmp_path)
    last = ended(run(attempt(tmp_path, spec=SPEC), before=hide_gpus))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    assert "decode_on device needs a GPU" in last["message"]


@pytest.mark.gpu
def test_a_killed_training_of_files_that_nvjpeg_decodes_ends_as_the_one_left_alone(
    tmp_path: Path,
) -> None:
    volume, alone = tmp_path / "killed", tmp_path / "alone"
    write_photos(volume)
    shutil.copytree(volume, alone)
    whole = attempt(alone, spec=SPEC)
    last = ended(run(whole))
    assert last["outcome"] == "succeeded", last
    first = attempt(volume, spec=SPEC)
    processes = start(first)
    until(lambda: shown_step(first) >= 6 and bool(resumable(volume)), processes)
    kill(processes)
    params = SPEC["params"] | {"data_workers": 2}
    second = attempt(volume, 2, spec=SPEC | {"params": params}, resume=resumable(volume))
    last = ended(run(second))
    assert last["outcome"] == "succeeded", last
    assert series(volume, first, second) == series(alone, whole)
    assert len(losses(whole)) >= 12
