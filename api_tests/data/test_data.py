import errno
import os
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from service.contract.specs import DataSpec
from workers.data.cuts import resize_and_crop
from workers.data.errors import InvalidData
from workers.data.images import ImageDataset, Split, SplitRequest
from workers.data.loader import train_batches, val_batches
from workers.data.sampler import batch_keys, batches_per_epoch, order_of
from workers.data.sources import open_split
from workers.data.transforms import preprocess_of

DIGITS = DataSpec(dataset="digits")


def _digits(split: Split = "train", preprocessing: str = "bgr255") -> ImageDataset:
    request = SplitRequest(split, 32, 0, preprocess_of(preprocessing), Path())
    return open_split(DIGITS, request)


def _folder(root: Path, split: Split = "train") -> ImageDataset:
    data = DataSpec(train_dir="train", val_dir="val")
    return open_split(data, SplitRequest(split, 32, 0, preprocess_of("bgr255"), root))


def _photo(path: Path, seed: int = 0, size: tuple[int, int] = (50, 70)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def test_every_fifth_digit_validates() -> None:
    assert (len(_digits("train")), len(_digits("val"))) == (1437, 360)


@pytest.mark.parametrize("preprocessing", ["bgr255", "bgr_normalized"])
def test_a_sample_depends_on_seed_epoch_and_index_alone(preprocessing: str) -> None:
    first, again = _digits(preprocessing=preprocessing), _digits(preprocessing=preprocessing)
    again.sample(0, 5)
    assert torch.equal(first.sample(3, 7)[0], again.sample(3, 7)[0])
    pairs = [(first.sample(3, i)[0], first.sample(4, i)[0]) for i in range(10)]
    assert any(not torch.equal(a, b) for a, b in pairs)


def test_an_epoch_sees_no_sample_twice_and_the_next_one_another_order() -> None:
    assert sorted(order_of(0, 1, 100)) == list(range(100))
    assert not np.array_equal(order_of(0, 1, 100), order_of(0, 2, 100))


def test_a_resumed_run_sees_the_batches_it_would_have_seen() -> None:
    straight = batch_keys(0, 10, 4, 0)
    batches = [next(straight) for _ in range(7)]
    for start in range(6):
        assert next(batch_keys(0, 10, 4, start)) == batches[start]


def test_the_number_of_loader_processes_changes_no_batch() -> None:
    for workers in (0, 2):
        batches = train_batches(
            _digits(), seed=0, start_step=44, batch_size=32, num_workers=workers
        )
        drawn = [next(batches)[0] for _ in range(2)]
        if workers == 0:
            expected = drawn
    assert all(torch.equal(a, b) for a, b in zip(expected, drawn, strict=True))


def test_a_batch_that_a_loader_cannot_hand_over_is_an_error_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    this_process, dumps = os.getpid(), ForkingPickler.dumps

    def refuse_in_loaders(content: object, protocol: int | None = None) -> memoryview:
        if os.getpid() != this_process:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return dumps(content, protocol)

    monkeypatch.setattr(ForkingPickler, "dumps", refuse_in_loaders)
    batches = train_batches(_digits(), seed=0, start_step=0, batch_size=8, num_workers=1)
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        next(batches)


def test_a_loader_puts_its_batches_into_shared_memory_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: torch.Tensor) -> None:
        raise RuntimeError("unable to mmap 256 bytes: Cannot allocate memory (12)")

    monkeypatch.setattr(torch.Tensor, "share_memory_", refuse)
    batches = train_batches(_digits(), seed=0, start_step=0, batch_size=8, num_workers=1)
    with pytest.raises(RuntimeError, match="Cannot allocate memory"):
        next(batches)


def test_drawing_batches_leaves_the_default_generators_alone() -> None:
    before = torch.get_rng_state()
    next(train_batches(_digits(), seed=0, start_step=0, batch_size=8, num_workers=0))
    assert torch.equal(before, torch.get_rng_state())


def test_validation_sees_every_image_once() -> None:
    labels = [batch.labels for batch in val_batches(_digits("val"), batch_size=100, num_workers=0)]
    assert [len(batch) for batch in labels] == [100, 100, 100, 60]


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(InvalidData, match="use at most 1437"):
        batches_per_epoch(1437, 2000)


@pytest.mark.parametrize("size", [(50, 70), (300, 200), (64, 64), (6, 90), (150, 7)])
def test_the_eval_resize_is_opencvs(size: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    short = round(224 * 256 / 224)
    h, w = size
    target = (int(short / h * w + 0.5), short) if h < w else (short, int(short / w * h + 0.5))
    theirs = cv2.resize(photo, target, interpolation=cv2.INTER_LINEAR)
    top, left = round((theirs.shape[0] - 224) / 2), round((theirs.shape[1] - 224) / 2)
    crop = theirs[top : top + 224, left : left + 224].transpose(2, 0, 1).astype(np.float32)
    ours = resize_and_crop(torch.from_numpy(photo).permute(2, 0, 1), 224).float().numpy()
    assert np.abs(ours - crop).max() <= 1


@pytest.mark.parametrize("shape", [(3, 1_000_000, 1), (3, 1, 1_000_000)])
def test_the_eval_resize_of_a_narrow_image_needs_no_more_memory_than_its_centre(
    shape: tuple[int, ...],
) -> None:
    # As a whole, the resized image would have 786 gigabytes.
    image = torch.full(shape, 7, dtype=torch.uint8)
    assert torch.equal(resize_and_crop(image, 224), torch.full((3, 224, 224), 7, dtype=torch.uint8))


def test_a_folder_of_images_is_read_by_class(tmp_path: Path) -> None:
    _photo(tmp_path / "train" / "cat" / "1.png")
    _photo(tmp_path / "train" / "dog" / "1.JPG")
    dataset = _folder(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    image, label = dataset.sample(0, 1)
    assert (tuple(image.shape), image.dtype, label) == ((3, 32, 32), torch.float32, 1)


def test_an_unreadable_image_is_named(tmp_path: Path) -> None:
    _photo(tmp_path / "train" / "cat" / "1.png")
    _photo(tmp_path / "train" / "dog" / "1.png")
    (tmp_path / "train" / "cat" / "2.png").write_text("not an image")
    with pytest.raises(InvalidData, match=r"cat/2\.png"):
        _folder(tmp_path).sample(0, 1)


@pytest.mark.parametrize("choice", ["ignore", "apply"])
def test_images_of_folders_are_turned_as_the_data_option_says(tmp_path: Path, choice: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    for name in ("cat", "dog"):
        (tmp_path / "val" / name).mkdir(parents=True)
        Image.new("RGB", (40, 30)).save(tmp_path / "val" / name / "1.jpg", exif=exif)
    data = DataSpec(val_dir="val", exif_orientation=choice)
    request = SplitRequest("val", 32, 0, preprocess_of("bgr255"), tmp_path)
    expected = (30, 40) if choice == "apply" else (40, 30)
    assert open_split(data, request).picture(0).size == expected


def test_a_class_without_images_is_named(tmp_path: Path) -> None:
    (tmp_path / "train" / "cat").mkdir(parents=True)
    with pytest.raises(InvalidData, match=r"train/cat \(train split\) contains no image"):
        _folder(tmp_path)


def test_a_link_out_of_the_data_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "root" / "train").symlink_to(tmp_path / "outside")
    with pytest.raises(InvalidData, match="leads out of the data root"):
        _folder(tmp_path / "root")
