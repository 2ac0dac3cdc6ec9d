"""JPEG files that are left to the training device give the images that a loader decodes."""

from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from api_tests.support.jpegs import (
    HEIGHT,
    WIDTH,
    decode_on_cpu,
    jpeg,
    sideways,
    with_frame,
    without_scan,
    write_photos,
)
from service.contract.data_spec import DataSpec
from workers.data import device_jpegs, jpeg_decoder
from workers.data.classes import in_class_order
from workers.data.cuts import RandomCut
from workers.data.device_jpegs import device_jpeg
from workers.data.encoded_batch import EncodedBatch
from workers.data.errors import InvalidData
from workers.data.images import EncodedImages, SplitRequest
from workers.data.jpeg_decoder import Decode, JpegDecoder
from workers.data.loader import Batch, encoded_train_batches, train_batches
from workers.data.packs.builder import PackBuilder
from workers.data.packs.encoding import Storage
from workers.data.packs.originals import Originals
from workers.data.sources import open_split
from workers.data.transforms import preprocess_of
from workers.recipes.params import RecipeParams
from workers.training.preprocessing import decoder_of

SIZE = 32
CPU = torch.device("cpu")
FOLDERS = {"train_dir": "train", "val_dir": "val"}


def opened(root: Path, data: dict[str, Any] = FOLDERS) -> EncodedImages:
    request = SplitRequest("train", SIZE, 7, preprocess_of("bgr_normalized"), root)
    images = open_split(DataSpec(**data), request)
    assert isinstance(images, EncodedImages)
    return images


def packed(root: Path, encoding: Any) -> dict[str, Any]:
    builder = PackBuilder(Originals(root, ""), Storage(encoding, 48, 90), root / "photos.pack")
    builder.build(1, lambda *_: None)
    return {"packed": "photos.pack"}


def by_loader(images: EncodedImages, count: int, start: int = 0) -> list[Batch]:
    batches = train_batches(
        images, seed=1, start_step=start, batch_size=6, num_workers=0, augment_on="device"
    )
    return list(islice(batches, count))


def by_device(
    images: EncodedImages,
    count: int,
    *,
    start: int = 0,
    loaders: int = 0,
    decode: Decode = decode_on_cpu,
) -> list[Batch]:
    decoder = JpegDecoder(images, SIZE, CPU, decode)
    batches = encoded_train_batches(
        images, seed=1, start_step=start, batch_size=6, num_workers=loaders
    )
    decoded = []
    for batch in islice(batches, count):
        assert isinstance(batch, EncodedBatch)
        decoded.append(decoder(batch))
    return decoded


def level(ours: Batch, theirs: Batch) -> int:
    """The largest difference of two batches in grey levels; all else must be equal."""
    assert torch.equal(ours.labels, theirs.labels)
    assert torch.equal(ours.draws, theirs.draws)
    return int((ours.images.int() - theirs.images.int()).abs().max())


@pytest.mark.parametrize("source", ["folders", "a pack of originals", "a pack of pixels"])
def test_files_that_a_device_decodes_give_the_images_of_the_loader(
    tmp_path: Path, source: str
) -> None:
    write_photos(tmp_path)
    encoding = {"a pack of originals": "original", "a pack of pixels": "raw"}.get(source)
    images = opened(tmp_path, packed(tmp_path, encoding) if encoding else FOLDERS)
    files: list[Tensor] = []

    def decode(contents: list[Tensor]) -> list[Tensor]:
        files.extend(contents)
        return decode_on_cpu(contents)

    # Two epochs of three batches.
    expected = by_loader(images, 6)
    decoded = by_device(images, 6, decode=decode)
    assert max(level(*each) for each in zip(decoded, expected, strict=True)) <= 1
    assert (len(files) > 20) == (source != "a pack of pixels")


def test_loader_processes_and_a_resume_change_no_image_that_a_device_decodes(
    tmp_path: Path,
) -> None:
    write_photos(tmp_path)
    images = opened(tmp_path)
    alone = by_device(images, 5)
    for ours, theirs in zip(by_device(images, 3, start=2, loaders=2), alone[2:], strict=True):
        assert level(ours, theirs) == 0


def test_the_labels_are_in_the_order_of_the_weights_classes(tmp_path: Path) -> None:
    write_photos(tmp_path)
    turned = in_class_order(opened(tmp_path), ("dog", "cat"))
    assert isinstance(turned, EncodedImages)
    (ours,), (theirs,) = by_device(turned, 1), by_loader(opened(tmp_path), 1)
    assert torch.equal(ours.labels, 1 - theirs.labels)


HANDED_OVER = {
    "RGB": jpeg(),
    "grey": jpeg(mode="L"),
    "progressive": jpeg(progressive=True),
    "without subsampling": jpeg(subsampling=0),
    "with filled markers": jpeg()[:2] + b"\xff\xff" + jpeg()[2:],
}
KEPT = {
    "CMYK": jpeg(mode="CMYK"),
    "stored as RGB": jpeg(keep_rgb=True),
    "12 bits": with_frame(jpeg(), precision=12),
    "arithmetic code": with_frame(jpeg(), marker=0xC9),
    "cut off": jpeg()[:-2],
    "to be turned": jpeg(exif=sideways()),
    "another format": b"\x89PNG" + jpeg()[4:],
    "empty": b"",
    "a header that ends": jpeg()[:4] + b"\xff\xd9",
    "large": jpeg()[:2] + (b"\xff\xfe\xff\xff" + bytes(65533)) + jpeg()[2:],
}


def handed_over(content: bytes, seed: int = 0) -> tuple[Any, RandomCut]:
    cut = RandomCut(SIZE, np.random.default_rng(seed))
    return device_jpeg(BytesIO(content), cut, exif_orientation=True), cut


@pytest.mark.parametrize("content", HANDED_OVER.values(), ids=HANDED_OVER)
def test_a_jpeg_is_handed_over_with_the_part_that_the_loader_would_cut(content: bytes) -> None:
    given, cut = handed_over(content)
    assert given == (content, WIDTH, HEIGHT, cut.box(WIDTH, HEIGHT))


@pytest.mark.parametrize("content", KEPT.values(), ids=KEPT)
def test_what_a_device_does_not_decode_is_the_loaders_and_nothing_is_drawn(content: bytes) -> None:
    given, cut = handed_over(content)
    assert given is None
    assert cut.box(WIDTH, HEIGHT) == RandomCut(SIZE, np.random.default_rng(0)).box(WIDTH, HEIGHT)


def test_a_picture_of_many_pixels_is_the_loaders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_jpegs, "_MOST_PIXELS", WIDTH * HEIGHT - 1)
    assert handed_over(jpeg())[0] is None


def _refuse_one(contents: list[Tensor]) -> list[Tensor]:
    refused = jpeg(1)
    if any(each.numpy().tobytes() == refused for each in contents):
        raise RuntimeError("Error while decoding JPEG images: 4")
    return decode_on_cpu(contents)


def _shrink_one(contents: list[Tensor]) -> list[Tensor]:
    return [picture[:, 1:] for picture in decode_on_cpu(contents)]


@pytest.mark.parametrize("decode", [_refuse_one, _shrink_one])
def test_a_file_that_the_device_refuses_is_decoded_as_by_a_loader(
    tmp_path: Path, decode: Decode
) -> None:
    for number in range(8):
        folder = tmp_path / "train" / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.jpg").write_bytes(jpeg(number))
    (ours,), (theirs,) = (
        by_device(opened(tmp_path), 1, decode=decode),
        by_loader(opened(tmp_path), 1),
    )
    assert level(ours, theirs) <= 1


def test_a_broken_file_is_named_as_a_loader_names_it(tmp_path: Path) -> None:
    write_photos(tmp_path)
    for path in tmp_path.glob("train/cat/*"):
        path.unlink()
        path.with_suffix(".jpg").write_bytes(without_scan(jpeg()))
    with pytest.raises(InvalidData, match=r"train/cat/.*jpg \(train split\)") as by_a_loader:
        by_loader(opened(tmp_path), 3)
    with pytest.raises(InvalidData, match=r"train/cat/.*jpg \(train split\)") as by_a_device:
        by_device(opened(tmp_path), 3)
    assert str(by_a_device.value) == str(by_a_loader.value)


def test_pictures_are_decoded_as_many_at_once_as_memory_is_meant_to_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        folder = tmp_path / "train" / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.jpg").write_bytes(jpeg(number))
    counts: list[int] = []

    def decode(contents: list[Tensor]) -> list[Tensor]:
        counts.append(len(contents))
        return decode_on_cpu(contents)

    (alone,) = by_device(opened(tmp_path), 1)
    monkeypatch.setattr(jpeg_decoder, "_MOST_PIXELS", int(2.5 * WIDTH * HEIGHT))
    (in_parts,) = by_device(opened(tmp_path), 1, decode=decode)
    assert counts == [2, 2, 2]
    assert level(in_parts, alone) == 0


def test_decoding_on_the_device_of_a_job_without_gpus_is_refused_with_what_to_change(
    tmp_path: Path,
) -> None:
    write_photos(tmp_path)
    params = RecipeParams(image_size=SIZE, decode_on="device")
    with pytest.raises(InvalidData, match=r"decode_on device needs a GPU.* set resources\.gpus"):
        decoder_of(params, opened(tmp_path), CPU)
    with pytest.raises(ValueError, match="a loader cannot augment what the device decodes"):
        RecipeParams(decode_on="device", augment_on="loader")
