"""What becomes of one image file: its pixels, or a refusal that names it."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, PngImagePlugin

from workers.data.errors import InvalidData, NoDataRoot
from workers.data.image_files import FORMATS, read_image

NAME = "train/cat/1 (train split)"
GREYS = np.linspace(0, 65535, 12 * 9).astype(np.uint16).reshape(12, 9)


def _read(path: Path, *, exif_orientation: bool = False) -> Image.Image:
    return read_image(path, NAME, path.parent, exif_orientation=exif_orientation)


def _photo(mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    return Image.fromarray(pixels, "RGBA").convert("RGB").convert(mode)


def _encoded(image: Image.Image, format: str, **options: object) -> bytes:
    body = io.BytesIO()
    image.save(body, format, **options)
    return body.getvalue()


@pytest.mark.parametrize(
    ("format", "mode"),
    [
        *((format, "RGB") for format in FORMATS),
        *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGBA")),
        *(("JPEG", mode) for mode in ("L", "CMYK")),
        *(("TIFF", mode) for mode in ("1", "CMYK", "RGBA", "YCbCr")),
        ("GIF", "P"),
        ("WEBP", "RGBA"),
        ("MPO", "RGB"),
    ],
)
def test_an_image_is_read_as_torchvision_reads_it(tmp_path: Path, format: str, mode: str) -> None:
    path = tmp_path / "1"
    transparent = {"transparency": bytes(range(256))} if mode == "P" and format == "PNG" else {}
    _photo(mode).save(path, format, **transparent)
    with path.open("rb") as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)
        expected = np.asarray(Image.open(file).convert("RGB"))
    assert np.array_equal(np.asarray(_read(path)), expected)


def _tiff(values: NDArray[np.generic], *, bits: int, photometric: int = 1, kind: int = 1) -> bytes:
    """A little-endian TIFF of one strip; `kind` is its SampleFormat."""
    body = values.tobytes()
    height, width = values.shape
    tags = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 8)]
    tags += [(277, 1), (278, height), (279, len(body)), (339, kind)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + directory


GREY_FILES: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: _encoded(Image.fromarray(GREYS), "PNG"),
    "PGM": lambda: b"P5\n9 12\n65535\n" + GREYS.astype(">u2").tobytes(),
    "TIFF": lambda: _tiff(GREYS, bits=16),
    "TIFF, big-endian": lambda: _encoded(
        Image.frombytes("I;16B", (9, 12), GREYS.astype(">u2").tobytes()), "TIFF"
    ),
    "TIFF, white is zero": lambda: _tiff(65535 - GREYS, bits=16, photometric=0),
}


@pytest.mark.parametrize("file", GREY_FILES.values(), ids=GREY_FILES)
def test_greys_of_16_bits_are_scaled_to_8(tmp_path: Path, file: Callable[[], bytes]) -> None:
    (tmp_path / "1").write_bytes(file())
    pixels = np.asarray(_read(tmp_path / "1"))
    assert np.array_equal(pixels, np.repeat((GREYS >> 8)[:, :, None], 3, axis=2))


def test_greys_of_16_bits_are_those_of_opencv(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(GREY_FILES["PNG"]())
    assert np.array_equal(np.asarray(_read(tmp_path / "1.png")), cv2.imread(tmp_path / "1.png"))


def test_greys_of_12_bits_are_scaled_by_their_own_range(tmp_path: Path) -> None:
    # Two values in three bytes: 0xfff and 0x800.
    packed = np.frombuffer(b"\xff\xf8\x00", np.uint8).reshape(1, 3)
    body = _tiff(packed, bits=12).replace(struct.pack("<HHII", 256, 4, 1, 3), b"")
    width = struct.pack("<HHII", 256, 4, 1, 2)
    count = struct.pack("<H", 10)
    (tmp_path / "1").write_bytes(body.replace(count, count + width, 1))
    assert np.asarray(_read(tmp_path / "1"))[0, :, 0].tolist() == [255, 128]


@pytest.mark.parametrize(
    "body",
    [
        _tiff(np.zeros((4, 4), np.uint32), bits=32),
        _tiff(np.zeros((4, 4), np.int16), bits=16, kind=2),
        _tiff(np.zeros((4, 4), np.float32), bits=32, kind=3),
        b"Pf\n4 4\n-1.0\n" + bytes(64),
    ],
    ids=["uint32", "int16", "float32", "PFM"],
)
def test_numbers_whose_white_is_unknown_are_refused_by_name(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "1").write_bytes(body)
    with pytest.raises(InvalidData, match=r"train/cat/1 .*32-bit or .* whose white is unknown"):
        _read(tmp_path / "1")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", [0, 1, 3, 6, 7])
def test_an_image_is_turned_by_its_exif_data_on_request_alone(
    tmp_path: Path, format: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / "1"
    _photo().save(path, format, exif=exif)
    with Image.open(path) as image:
        plain, turned = np.asarray(image.convert("RGB")), np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(np.asarray(_read(path)), plain)
    assert np.array_equal(np.asarray(_read(path, exif_orientation=True)), turned)


def _chunk(kind: bytes, body: bytes) -> bytes:
    crc = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + crc


def _png_with(chunk: bytes, before: bytes) -> bytes:
    body = _encoded(_photo(), "PNG")
    at = body.index(before) - 4
    return body[:at] + chunk + body[at:]


def _large_text() -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * (2 * PngImagePlugin.MAX_TEXT_CHUNK), zip=True)
    return _encoded(_photo(), "PNG", pnginfo=text)


def _big_tiff(offset: int) -> bytes:
    return b"II+\0\x08\0\0\0" + struct.pack("<Q", offset)


BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "it is empty"),
    "text": (lambda: b"not an image", "it is none of JPEG, PNG"),
    "a cut PNG": (lambda: _encoded(_photo(), "PNG")[:-400], "truncated"),
    "a cut JPEG": (lambda: _encoded(_photo(), "JPEG")[:-100], "truncated"),
    "a cut AVIF": (lambda: _encoded(_photo(), "AVIF")[:-100], "Truncated data"),
    "an empty colour profile": (
        lambda: _png_with(_chunk(b"iCCP", b""), b"IEND"),
        "index out of range",
    ),
    "a format that is not read": (lambda: _encoded(_photo(), "DDS"), "it is none of"),
    "a decompression bomb": (
        lambda: b"P5\n100000 100000\n255\n",
        "a decompression bomb, of more than 178956970 pixels",
    ),
    "an offset that no file has": (lambda: _big_tiff(1 << 62), "Invalid argument"),
    "a large text": (_large_text, "a text chunk in it is too large"),
}


@pytest.mark.parametrize(("body", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_does_not_decode_is_invalid_data_with_its_name_and_what_is_wrong(
    tmp_path: Path, body: Callable[[], bytes], problem: str
) -> None:
    (tmp_path / "1").write_bytes(body())
    with pytest.raises(InvalidData) as refused:
        _read(tmp_path / "1")
    message = str(refused.value)
    assert message.startswith(f"{NAME} is not a readable image (")
    assert problem in message
    assert message.endswith("): replace or remove it")
    assert str(tmp_path) not in message


def test_a_file_that_vanished_is_said_to_be_missing(tmp_path: Path) -> None:
    (tmp_path / "2").touch()
    with pytest.raises(InvalidData, match=r"train/cat/1 .* does not exist"):
        _read(tmp_path / "1")


def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1")
    with pytest.raises(InvalidData, match=r"train/cat/1 .* is not a regular file"):
        _read(tmp_path / "1")


def test_a_read_that_the_machine_refuses_is_the_workers_fault(tmp_path: Path) -> None:
    # A file of the kernel that opens and cannot be read from its start: EIO.
    (tmp_path / "1").symlink_to("/proc/self/mem")
    with pytest.raises(NoDataRoot, match=r"cannot read train/cat/1 .*Input/output error"):
        _read(tmp_path / "1")


@pytest.mark.parametrize("format", FORMATS)
def test_whatever_a_damaged_file_makes_its_decoder_do_it_is_a_picture_or_invalid_data(
    tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that a damaged header asks for no gigabytes.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1 << 18)
    whole = np.frombuffer(_encoded(_photo(), format), np.uint8)
    draw = np.random.default_rng(FORMATS.index(format))
    path = tmp_path / "1"
    for _ in range(60):
        damaged = whole[: draw.integers(1, len(whole) + 1)].copy()
        places = draw.integers(0, len(damaged), draw.integers(1, 8))
        damaged[places] = draw.integers(0, 256, len(places))
        path.write_bytes(damaged.tobytes())
        try:
            outcome = _read(path, exif_orientation=True).mode
        except InvalidData as error:
            outcome = str(error)
        assert outcome == "RGB" or outcome.startswith(NAME)
