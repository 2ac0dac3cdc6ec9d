"""What a folder of images holds: which files are data, and what is passed over or refused."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from service.contract.specs import DataSpec
from workers.data.errors import InvalidData
from workers.data.images import ImageDataset, SplitRequest
from workers.data.sources import open_split
from workers.data.transforms import preprocess_of

NOBODY = 65534


@pytest.fixture
def train(tmp_path: Path) -> Path:
    """The folder `train` of a data root, with one image of a cat and one of a dog."""
    for name in ("cat", "dog"):
        _image(tmp_path / "root" / "train" / name / "1.png")
    return tmp_path / "root" / "train"


def _image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)


def _opened(train: Path, remarks: list[str] | None = None) -> ImageDataset:
    data = DataSpec(train_dir="train", val_dir="val")
    remark = (lambda _: None) if remarks is None else remarks.append
    root = train.parent
    return open_split(data, SplitRequest("train", 32, 0, preprocess_of("bgr255"), root, remark))


def _names(images: ImageDataset) -> list[str]:
    return [images.name_of(index) for index in range(len(images))]


def test_linked_folders_and_files_below_the_data_root_are_followed(train: Path) -> None:
    _image(train.parent / "more" / "birds" / "1.png")
    (train / "bird").symlink_to(train.parent / "more" / "birds")
    (train / "dog" / "2.png").symlink_to(Path("..", "cat", "1.png"))
    (train / "dog" / "wild").symlink_to(train.parent / "more")
    assert _names(_opened(train)) == [
        "bird/1.png",
        "cat/1.png",
        "dog/1.png",
        "dog/2.png",
        "dog/wild/birds/1.png",
    ]


def test_images_are_sorted_by_the_parts_of_their_paths(train: Path) -> None:
    for name in ("a/2.png", "a-1.png", "a/1.png", "b.png"):
        _image(train / "cat" / name)
    in_order = sorted(path.relative_to(train) for path in train.rglob("*.png"))
    assert _names(_opened(train)) == [str(path) for path in in_order]


def test_hidden_and_system_folders_are_passed_over_and_counted(train: Path) -> None:
    for junk in (".ipynb_checkpoints/1.png", "__MACOSX/1.png", "cat/._1.png", "cat/@eaDir/1.png"):
        _image(train / f"{junk}")
    (train / "cat" / "notes.TXT").touch()
    (train / "README").touch()
    remarks: list[str] = []
    images = _opened(train, remarks)
    assert (images.class_names, len(images)) == (("cat", "dog"), 2)
    assert remarks == ["passed over: 2 hidden, 1 .txt, 1 @eaDir, 1 __MACOSX, 1 other"]


@pytest.mark.parametrize("suffix", [".avif", ".jfif", ".JPE", ".pgm", ".tiff", ".webp"])
def test_an_image_is_known_by_its_suffix_in_either_case(train: Path, suffix: str) -> None:
    (train / "cat" / f"2{suffix}").touch()
    assert len(_opened(train)) == 3


def _broken_link(cat: Path) -> None:
    (cat / "2.png").symlink_to(cat / "missing.png")


def _link_to_itself(cat: Path) -> None:
    (cat / "2.png").symlink_to(cat / "2.png")


def _circle(cat: Path) -> None:
    (cat / "a").symlink_to(cat.parent / "dog")
    (cat.parent / "dog" / "b").symlink_to(cat)


def _link_out(cat: Path) -> None:
    outside = cat.parent.parent.parent / "outside"
    outside.mkdir()
    (cat / "more").symlink_to(outside)


def _linked_class_out(cat: Path) -> None:
    _link_out(cat.parent)


def _fifo(cat: Path) -> None:
    os.mkfifo(cat / "2.png")


def _long_path(cat: Path) -> None:
    here = os.open(cat, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("n" * 255, dir_fd=here)
        below = os.open("n" * 255, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_broken_link, r"train/cat/2\.png \(train split\) does not exist"),
        (_link_to_itself, r"train/cat/2\.png .* leads back to itself"),
        (_circle, r"train/cat/a/b .* is a link to a folder that contains it"),
        (_link_out, r"train/cat/more .* leads out of the data root"),
        (_linked_class_out, r"train/more .* leads out of the data root"),
        (_fifo, r"train/cat/2\.png .* is not a regular file"),
        (_long_path, r"train/cat/nnn.* too long for this system"),
    ],
)
def test_what_cannot_be_read_later_is_refused_at_the_start_by_its_whole_name(
    train: Path, change: Callable[[Path], None], message: str
) -> None:
    change(train / "cat")
    with pytest.raises(InvalidData, match=message):
        _opened(train)


def test_one_class_alone_is_refused_and_the_folder_below_is_proposed(train: Path) -> None:
    (train / "photos").mkdir()
    for name in ("cat", "dog"):
        (train / name).rename(train / "photos" / name)
    with pytest.raises(InvalidData, match=r"photos; are the classes the folders in train/photos\?"):
        _opened(train)


def test_a_class_of_unknown_files_says_what_it_contains(train: Path) -> None:
    (train / "dog" / "1.png").rename(train / "dog" / "1.heic")
    with pytest.raises(InvalidData, match=r"train/dog .* no image \(passed over: 1 \.heic\)"):
        _opened(train)


def test_a_split_whose_path_is_a_link_loop_or_too_long_is_refused(train: Path) -> None:
    loop = train.parent / "loop"
    loop.symlink_to(loop)
    for folder, message in (("loop", "leads back to itself"), ("n" * 300, "too long for this")):
        # As an older server, which checks less, may have stored it.
        data = DataSpec.model_construct(train_dir=folder, val_dir=folder)
        request = SplitRequest("train", 32, 0, preprocess_of("bgr255"), train.parent)
        with pytest.raises(InvalidData, match=message):
            open_split(data, request)


def test_a_file_in_the_place_of_the_folder_is_refused(train: Path) -> None:
    shutil.rmtree(train)
    train.touch()
    with pytest.raises(InvalidData, match=r"train \(train split\) is not a folder"):
        _opened(train)


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """A data root as a user whom permissions bind; the superuser reads everything."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    for name in ("cat", "dog"):
        _image(root / "train" / name / "1.png")
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    yield root / "train"
    os.seteuid(before)
    for folder in (root / "train", root / "train" / "cat"):
        folder.chmod(0o755)
    shutil.rmtree(root)


@pytest.mark.parametrize("folder", ["", "cat"])
def test_a_folder_that_must_not_be_read_is_said_to_be(ordinary_user: Path, folder: str) -> None:
    user = os.geteuid()
    os.seteuid(os.getuid())
    (ordinary_user / folder).chmod(0)
    os.seteuid(user)
    name = os.path.normpath(f"train/{folder}")
    with pytest.raises(InvalidData, match=rf"{name} \(train split\) .* not permitted"):
        _opened(ordinary_user)


@pytest.mark.timeout(30)
def test_links_that_fan_out_without_a_circle_are_refused_by_name(train: Path) -> None:
    # 2**40 paths to the last of 40 folders, each of which has two links to the next one.
    chain = [train.parent / "chain" / str(number) for number in range(40)]
    for folder in chain:
        folder.mkdir(parents=True)
    for folder, after in pairwise(chain):
        for link in ("a", "b"):
            (folder / link).symlink_to(after)
    (train / "cat" / "more").symlink_to(chain[0])
    with pytest.raises(InvalidData, match=r"train/cat/more/.* more than 100 ways .*: remove links"):
        _opened(train)
