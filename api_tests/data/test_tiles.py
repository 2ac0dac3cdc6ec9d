"""JPEGs in tiles: a part is decoded without the rest, to the pixels that the whole image has."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from api_tests.support.packs import PACK, build, draw, opened
from workers.data.cuts import Box, RandomCut
from workers.data.errors import InvalidData
from workers.data.jpegs import cut_jpeg
from workers.data.packs import encoding as encoding_module
from workers.data.packs.encoding import Storage, stored_image
from workers.data.packs.reader import Pack
from workers.data.packs.source import PackedImages
from workers.data.packs.tiles import TiledJpeg, cut_tiles, tile_mcus

SIZES = [(427, 320), (320, 427), (368, 320), (333, 57), (17, 400), (15, 15), (1280, 1024)]


def in_tiles(folder: Path, width: int, height: int) -> bytes:
    draw(folder / "photo.png", width, (height, width))
    image = stored_image(folder / "photo.png", "photo", folder, Storage("jpeg", 2000, 90))
    assert image.is_tiled
    return image.content


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_cut_of_a_jpeg_in_tiles_is_that_of_the_whole_image_bit_for_bit(
    tmp_path: Path, width: int, height: int
) -> None:
    content = in_tiles(tmp_path, width, height)
    for seed in range(40):
        # Boxes of 8 % of the image and more; the large image is reduced while it is decoded.
        ours, theirs = (RandomCut(24, np.random.default_rng(seed)) for _ in range(2))
        whole = cut_jpeg(BytesIO(content), theirs, exif_orientation=False)
        cut = cut_tiles(content, ours, exif_orientation=False)
        assert whole is not None
        assert cut is not None
        assert torch.equal(cut, whole)


@pytest.mark.parametrize(
    ("box", "size"),
    [
        (Box(100, 100, 50, 60), (96, 80)),
        (Box(0, 0, 46, 30), (48, 32)),
        (Box(400, 300, 27, 20), (43, 32)),
        (Box(0, 0, 427, 320), (427, 320)),
    ],
)
def test_only_the_tiles_of_a_part_are_decoded(
    tmp_path: Path, box: Box, size: tuple[int, int]
) -> None:
    part = TiledJpeg(in_tiles(tmp_path, 427, 320)).part(box)
    with Image.open(BytesIO(part.content)) as image:
        assert image.size == (part.width, part.height) == size


@pytest.mark.parametrize(("width", "mcus"), [(427, 3), (320, 2), (560, 5), (368, 1), (9, 1)])
def test_a_row_of_an_image_is_a_whole_number_of_tiles(width: int, mcus: int) -> None:
    assert tile_mcus(width) == mcus


def test_a_jpeg_in_tiles_has_the_pixels_of_one_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiles = in_tiles(tmp_path, 427, 320)
    monkeypatch.setattr(encoding_module, "tile_mcus", lambda _: 0)
    plain = in_tiles(tmp_path, 427, 320)
    assert len(tiles) < 1.1 * len(plain)
    with Image.open(BytesIO(tiles)) as ours, Image.open(BytesIO(plain)) as theirs:
        assert ours.tobytes() == theirs.tobytes()


def test_noise_that_is_larger_than_its_buffer_is_stored_all_the_same(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 2, (320, 320, 3), dtype=np.uint8) * 255
    Image.fromarray(noise).save(tmp_path / "noise.png")
    image = stored_image(tmp_path / "noise.png", "noise", tmp_path, Storage("jpeg", 2000, 94))
    assert TiledJpeg(image.content).part(Box(100, 100, 50, 60)).height == 80


def test_what_is_in_no_tiles_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiles = in_tiles(tmp_path, 427, 320)
    monkeypatch.setattr(encoding_module, "tile_mcus", lambda _: 0)
    part = Box(100, 100, 50, 60)
    for content in (in_tiles(tmp_path, 427, 320), b"", b"\xff\xd8\xff", tiles[:700]):
        with pytest.raises(ValueError, match=r"restart intervals|not as many"):
            TiledJpeg(content).part(part)
    monkeypatch.setattr(encoding_module, "tile_mcus", lambda _: 4)
    with pytest.raises(ValueError, match="restart intervals are no tiles"):
        TiledJpeg(in_tiles(tmp_path, 427, 320))


def test_a_pack_reads_the_tiles_of_its_images_and_whole_images_where_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path / "val/a/large.png", 1, (90, 120))
    draw(tmp_path / "val/b/small.jpg", 2, (40, 50))
    build(tmp_path, "jpeg")
    pack = Pack(tmp_path / "photos.pack", "photos.pack", tmp_path)
    assert [pack.is_tiled(number) for number in range(2)] == [True, False]
    images = opened(tmp_path, PACK, "val")
    assert isinstance(images, PackedImages)
    for number in range(2):
        ours, theirs = (RandomCut(24, np.random.default_rng(3)) for _ in range(2))
        whole = cut_jpeg(BytesIO(pack.read(number)), theirs, exif_orientation=False)
        assert whole is not None
        assert torch.equal(images.cut(number, ours), whole)
    monkeypatch.setattr(Pack, "is_tiled", lambda *_: True)
    with pytest.raises(InvalidData, match=r"b/small\.jpg .* cannot be read .*: pack the images"):
        images.cut(1, RandomCut(24, np.random.default_rng(3)))


def test_tiles_of_more_pixels_than_pillow_allows_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = in_tiles(tmp_path, 427, 320)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 427 * 320 // 2 - 1)
    with pytest.raises(ValueError, match="427 x 320 pixels, a decompression bomb"):
        cut_tiles(content, RandomCut(24, np.random.default_rng(0)), exif_orientation=False)
