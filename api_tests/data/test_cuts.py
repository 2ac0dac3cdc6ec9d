"""The part of an image that is used: torchvision's choice of it, and Pillow's pixels."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image
from torchvision import transforms

from workers.data.augmentation import augmented, draw_augmentation
from workers.data.cuts import CentreCut, RandomCut, resize_and_crop
from workers.data.errors import InvalidData
from workers.data.image_files import cut_image, read_cut, read_image
from workers.data.images import Pixels
from workers.data.jpegs import cut_jpeg

SIZE = 64


def _photo(width: int, height: int, mode: str = "RGB", pitch: int = 8) -> Image.Image:
    shape = (height // pitch + 1, width // pitch + 1, 3)
    noise = np.random.default_rng(1).integers(0, 256, shape)
    return Image.fromarray(noise.astype(np.uint8)).resize((width, height)).convert(mode)


def _jpeg(image: Image.Image, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def _cut(seed: int = 0) -> RandomCut:
    return RandomCut(SIZE, np.random.default_rng(seed))


def _cut_of(data: bytes, cut: RandomCut) -> torch.Tensor:
    return cut_image(BytesIO(data), "1.jpg", Path(), cut, exif_orientation=False)


def _pillows(picture: Image.Image, cut: RandomCut) -> np.ndarray:
    left, top, width, height = cut.box(*picture.size)
    part = picture.crop((left, top, left + width, top + height))
    return np.asarray(part.resize((SIZE, SIZE), Image.Resampling.BILINEAR)).astype(int)


def _difference(image: torch.Tensor, theirs: np.ndarray) -> np.ndarray:
    return np.abs(image.permute(1, 2, 0).numpy() - theirs)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}], ids=str)
def test_the_cut_of_a_jpeg_is_pillows(mode: str, options: dict[str, object]) -> None:
    data = _jpeg(_photo(250, 187, mode), **options)
    picture = Image.open(BytesIO(data)).convert("RGB")
    for seed in range(8):
        ours = _cut_of(data, _cut(seed))
        assert _difference(ours, _pillows(picture, _cut(seed))).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_turned_as_a_picture_is(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / "1.jpg"
    path.write_bytes(_jpeg(_photo(250, 187), exif=exif))
    turned = read_image(path, "1.jpg", tmp_path, exif_orientation=True)
    ours = read_cut(path, "1.jpg", tmp_path, _cut(), exif_orientation=True)
    assert _difference(ours, _pillows(turned, _cut())).max() <= 1
    centre = read_cut(path, "1.jpg", tmp_path, CentreCut(SIZE), exif_orientation=True)
    whole = torch.from_numpy(np.array(turned)).permute(2, 0, 1)
    assert torch.equal(centre, resize_and_crop(whole, SIZE))


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_reduced_while_it_is_decoded_and_looks_the_same(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = _jpeg(_photo(2000, 1504, pitch=100), exif=exif)
    turns = {6: Image.Transpose.ROTATE_270}
    whole = Image.open(BytesIO(data)).convert("RGB")
    whole = whole.transpose(turns[orientation]) if orientation in turns else whole
    reductions = set()
    for seed in range(12):
        cut = _cut(seed)
        ours = cut_jpeg(BytesIO(data), cut, exif_orientation=True)
        box = cut.box(*whole.size)
        times = cut.reduction(box)
        reductions.add(times)
        corners = (box.left, box.top, box.left + box.width, box.top + box.height)
        edges = tuple(round(pixels / times) * times for pixels in corners)
        theirs = whole.resize((SIZE, SIZE), Image.Resampling.BILINEAR, box=edges)
        assert ours is not None
        assert _difference(ours, np.asarray(theirs).astype(int)).mean() < 1
    assert {4, 8} <= reductions


@pytest.mark.parametrize(
    ("shorter", "reduction"), [(255, 1), (256, 2), (511, 2), (512, 4), (9999, 8)]
)
def test_a_part_is_reduced_to_no_less_than_twice_what_is_needed(
    shorter: int, reduction: int
) -> None:
    cut = RandomCut(SIZE, np.random.default_rng(0), area=(1, 1), ratio=(1, 1))
    assert cut.reduction(cut.box(shorter, shorter)) == reduction


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:-2],
        lambda data: data[:600] + bytes(64) + data[664:-900],
        lambda data: data[:100],
    ],
    ids=["cut", "no end", "cut and damaged", "header"],
)
@pytest.mark.parametrize("cut", [_cut(), CentreCut(SIZE)], ids=["train", "eval"])
def test_a_jpeg_file_that_ends_early_is_refused_by_name_and_never_filled_with_grey(
    tmp_path: Path, spoilt: Callable[[bytes], bytes], cut: RandomCut | CentreCut
) -> None:
    path = tmp_path / "1.jpg"
    path.write_bytes(spoilt(_jpeg(_photo(2000, 1500))))
    with pytest.raises(InvalidData, match=r"cat/1\.jpg .*: replace or remove it"):
        read_cut(path, "cat/1.jpg", tmp_path, cut, exif_orientation=False)


@pytest.mark.parametrize(
    "damaged",
    [
        lambda data: data[:9000] + bytes(64) + data[9064:],
        lambda data: data[:9000] + data[9100:],
        lambda data: data[:9000] + b"\xff\xd9",
    ],
    ids=["zeros", "bytes less", "rows less"],
)
def test_a_jpeg_that_is_damaged_before_its_end_is_what_pillow_makes_of_it(
    damaged: Callable[[bytes], bytes],
) -> None:
    data = damaged(_jpeg(_photo(500, 375)))
    picture = Image.open(BytesIO(data)).convert("RGB")
    assert _difference(_cut_of(data, _cut()), _pillows(picture, _cut())).max() <= 1


@pytest.mark.filterwarnings("ignore")
def test_a_decompression_bomb_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "1.jpg"
    path.write_bytes(_jpeg(_photo(100, 90)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100 * 90 // 2 - 1)
    with pytest.raises(InvalidData, match=r"cat/1\.jpg .*decompression bomb"):
        read_cut(path, "cat/1.jpg", tmp_path, _cut(), exif_orientation=False)


@pytest.mark.parametrize("size", [(500, 375), (300, 400), (900, 100), (40, 700)])
def test_the_boxes_are_as_likely_as_torchvisions(size: tuple[int, int]) -> None:
    width, height = size
    image = torch.zeros(1, height, width)
    draws = 4000
    torch.manual_seed(0)
    params = transforms.RandomResizedCrop.get_params
    theirs = np.array([params(image, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(draws)], float)
    ours = np.array([_cut(seed).box(width, height) for seed in range(draws)], float)
    top, left, h, w = theirs.T
    both = [np.stack([left, top, w, h]), ours.T]
    levels = np.linspace(0.05, 0.95, 10)
    for a, b in zip(*(_figures(boxes, width, height) for boxes in both), strict=True):
        assert np.abs(np.quantile(a, levels) - np.quantile(b, levels)).max() < 0.035


def test_the_statistics_of_training_images_are_torchvisions() -> None:
    data = _jpeg(_photo(200, 150))
    picture = Image.open(BytesIO(data)).convert("RGB")
    jitter = transforms.ColorJitter(0.4, 0.4, 0.4)
    original = transforms.Compose([transforms.RandomResizedCrop(SIZE), jitter])
    torch.manual_seed(0)
    theirs = [np.asarray(original(picture)) for _ in range(1500)]
    ours = []
    for seed in range(1500):
        draw = np.random.default_rng(seed)
        image = _cut_of(data, RandomCut(SIZE, draw))
        pixels = augmented(Pixels(image, 0, draw_augmentation(draw)))
        ours.append(pixels.image.permute(1, 2, 0).numpy())
    for figure in (_brightness, _contrast, _saturation):
        a, b = (np.array([figure(image) for image in images]) for images in (theirs, ours))
        spread = a.std()
        assert abs(a.mean() - b.mean()) < 0.13 * spread
        assert abs(a.std() - b.std()) < 0.1 * spread


def _figures(boxes: np.ndarray, width: int, height: int) -> list[np.ndarray]:
    left, top, w, h = boxes
    area, ratio = w * h / (width * height), np.log(w / h)
    return [area, ratio, (left + w / 2) / width, (top + h / 2) / height]


def _brightness(image: np.ndarray) -> float:
    return float(image.mean())


def _contrast(image: np.ndarray) -> float:
    return float(image.mean(2).std())


def _saturation(image: np.ndarray) -> float:
    return float((image.max(2).astype(int) - image.min(2)).mean())
