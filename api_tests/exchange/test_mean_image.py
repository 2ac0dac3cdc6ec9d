"""The mean image, and the eval's picture of a photo, as the originals have them."""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from api_tests.support.originals import imported, network_of
from service.contract.specs import DataSpec
from workers.checkpoints.folder import verify
from workers.data.cuts import resize_and_crop
from workers.data.errors import InvalidData
from workers.data.images import SplitRequest
from workers.data.mean_image import WrongMeanShape, read_mean_image
from workers.data.sources import open_split
from workers.data.transforms import preprocess_of

SIZE = 64


def _mean() -> np.ndarray:
    """(H, W, 3) in BGR order, as the published file has its numbers."""
    return np.random.default_rng(0).uniform(80, 140, (SIZE, SIZE, 3)).astype(np.float32)


def _xml(path: Path, values: np.ndarray, before: str = "", row: int = SIZE) -> None:
    # With the exponents of three digits that the published file has.
    texts = [f"{value:.8e}".replace("e+", "e+0") for value in values.ravel()]
    lines = "\n    ".join(" ".join(texts[at : at + 4]) for at in range(0, len(texts), 4))
    path.write_text(
        f'<?xml version="1.0"?>\n{before}<opencv_storage>\n<Channel>3</Channel>\n'
        f"<Row>{row}</Row>\n<Col>{SIZE}</Col>\n"
        f'<MeanImg type_id="opencv-matrix">\n  <rows>1</rows>\n  <cols>{values.size}</cols>\n'
        f"  <dt>f</dt>\n  <data>\n    {lines}</data></MeanImg>\n</opencv_storage>\n"
    )


def test_the_published_form_and_npy_give_the_same_image(tmp_path: Path) -> None:
    mean = _mean()
    _xml(tmp_path / "mean.xml", mean)
    np.save(tmp_path / "mean.npy", mean.transpose(2, 0, 1))
    expected = torch.from_numpy(mean.transpose(2, 0, 1))
    assert torch.equal(read_mean_image(tmp_path / "mean.npy", SIZE), expected)
    assert torch.allclose(read_mean_image(tmp_path / "mean.xml", SIZE), expected, atol=1e-5)


def test_the_published_form_is_the_one_that_opencv_reads(tmp_path: Path) -> None:
    _xml(tmp_path / "mean.xml", _mean())
    storage = cv2.FileStorage(str(tmp_path / "mean.xml"), cv2.FILE_STORAGE_READ)
    theirs = storage.getNode("MeanImg").mat().reshape(SIZE, SIZE, 3).transpose(2, 0, 1)
    assert np.array_equal(read_mean_image(tmp_path / "mean.xml", SIZE).numpy(), theirs)


def test_a_document_type_is_refused_before_its_entities_are_read(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "1 "><!ENTITY b "&a;&a;&a;&a;">]>\n'
    _xml(tmp_path / "mean.xml", _mean(), before=bomb)
    with pytest.raises(
        InvalidData, match=r"mean\.xml is not an OpenCV FileStorage: it declares a document"
    ):
        read_mean_image(tmp_path / "mean.xml", SIZE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "<a></a>",
        "<opencv_storage><Row>x</Row>",
        '<?xml version="1.0" encoding="nosuch"?><a></a>',
    ],
)
def test_a_file_that_is_no_storage_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "mean.xml").write_text(text)
    with pytest.raises(InvalidData, match=r"mean\.xml is not an OpenCV FileStorage"):
        read_mean_image(tmp_path / "mean.xml", SIZE)


def test_an_npy_that_promises_more_numbers_than_memory_has_is_refused(tmp_path: Path) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": (3, 10**7, 10**7)}
    with (tmp_path / "mean.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(InvalidData, match=r"mean\.npy is not a readable \.npy file"):
        read_mean_image(tmp_path / "mean.npy", SIZE)


def test_a_mean_image_that_is_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mean.npy")
    with pytest.raises(InvalidData, match=r"mean\.npy is not a regular file"):
        read_mean_image(tmp_path / "mean.npy", SIZE)


def test_an_npy_of_objects_is_refused_without_being_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "mean.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InvalidData, match=r"not a readable \.npy file"):
        read_mean_image(tmp_path / "mean.npy", SIZE)


def test_a_mean_of_another_size_is_refused_with_both_shapes(tmp_path: Path) -> None:
    _xml(tmp_path / "mean.xml", _mean())
    with pytest.raises(WrongMeanShape, match=r"\[3, 64, 64\], not \[3, 224, 224\]"):
        read_mean_image(tmp_path / "mean.xml", 224)
    _xml(tmp_path / "mean.xml", _mean(), row=63)
    with pytest.raises(WrongMeanShape, match="has 12288 numbers, not 63 x 64 x 3"):
        read_mean_image(tmp_path / "mean.xml", SIZE)


def test_values_beyond_a_grey_level_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "mean.npy", np.full((3, SIZE, SIZE), 256.0))
    with pytest.raises(InvalidData, match="not within 0 to 255"):
        read_mean_image(tmp_path / "mean.npy", SIZE)


def _photo(height: int, width: int) -> np.ndarray:
    """Gradients, edges and a little noise: uint8 RGB (H, W, 3)."""
    draw = np.random.default_rng((height, width))
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / draw.uniform(3, 40)) * np.cos(y / draw.uniform(3, 40)) for _ in range(3)]
    pixels = np.stack(waves, axis=-1) * 90 + 128 + draw.normal(0, 6, (height, width, 3))
    pixels[height // 4 : height // 2, width // 3 : width // 2] = (250, 10, 90)
    return np.asarray(pixels.clip(0, 255).astype(np.uint8))


def _opencv(photo: np.ndarray, size: int) -> np.ndarray:
    """The original's eval picture: resize the short side, then the centre; RGB (H, W, 3)."""
    short = round(size * 256 / 224)
    height, width = photo.shape[:2]
    target = (
        (int(short / height * width + 0.5), short)
        if height < width
        else (short, int(short / width * height + 0.5))
    )
    resized = cv2.resize(photo, target, interpolation=cv2.INTER_LINEAR)
    top, left = round((resized.shape[0] - size) / 2), round((resized.shape[1] - size) / 2)
    return resized[top : top + size, left : left + size]


@pytest.mark.parametrize(
    ("height", "width"), [(375, 500), (500, 333), (256, 256), (1200, 800), (100, 150), (501, 499)]
)
def test_the_eval_picture_of_a_photo_is_opencvs_within_a_grey_level(
    height: int, width: int
) -> None:
    photo = _photo(height, width)
    ours = resize_and_crop(torch.from_numpy(photo).permute(2, 0, 1), 224).permute(1, 2, 0).numpy()
    assert np.abs(ours - _opencv(photo, 224).astype(np.float32)).max() <= 1


def test_an_evaluated_photo_is_bgr_minus_the_mean_after_the_crop(tmp_path: Path) -> None:
    photo = _photo(90, 120)
    folder = tmp_path / "val" / "cat"
    folder.mkdir(parents=True)
    Image.fromarray(photo).save(folder / "1.png")
    shutil.copytree(folder, tmp_path / "val" / "dog")
    mean = torch.from_numpy(_mean().transpose(2, 0, 1))
    minus_mean = preprocess_of("bgr255_minus_mean", mean)
    request = SplitRequest("val", SIZE, 0, minus_mean, tmp_path)
    images = open_split(DataSpec(train_dir="val", val_dir="val"), request)
    expected = _opencv(photo, SIZE)[:, :, ::-1].astype(np.float32) - _mean()
    found = images.sample(0, 0)[0].permute(1, 2, 0).numpy()
    # The grey level of the resize, and the last bits of a subtraction.
    assert np.abs(found - expected).max() <= 1 + 1e-4


def test_the_mean_image_travels_in_the_checkpoint(tmp_path: Path) -> None:
    torch.save(network_of("shufflenet_v2").state_dict(), tmp_path / "weights.pth")
    _xml(tmp_path / "mean.xml", _mean())
    found = imported(tmp_path, "weights.pth", mean_image="mean.xml", image_size=SIZE)
    assert found.manifest.preprocessing == "bgr255_minus_mean"
    assert verify(found.folder) == []
    carried = read_mean_image(found.folder / "mean.npy", SIZE)
    assert torch.equal(carried, read_mean_image(tmp_path / "mean.xml", SIZE))
