"""Matches the classes of weights with those of images: by name wherever both have names.

Imports no torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workers.data.images import ImageDataset
from workers.data.views import view_of

Match = Literal["name", "position"]
_SHOWN = 5


class ClassesDiffer(ValueError):
    """Two sets of class names are not the same; the message names the difference."""


@dataclass(frozen=True)
class ClassOrder:
    """The class of each row of a classifier, and how the rows were matched with the images."""

    names: tuple[str, ...]
    matched_by: Match


def match_classes(rows: Sequence[str], images: Sequence[str]) -> ClassOrder:
    """The order of a classifier's `rows`, if they have the names of the images' classes.

    The names may come in any order; those of the images are unique. Rows without names, and with
    names that are not unique, can only be matched by position. Raises ClassesDiffer.
    """
    if len(set(rows)) != max(len(rows), 1):
        return ClassOrder(tuple(images), "position")
    wrong = difference(rows, images, "the data")
    if wrong:
        raise ClassesDiffer(wrong)
    return ClassOrder(tuple(rows), "name")


def difference(expected: Sequence[str], names: Sequence[str], owner: str) -> str:
    """What the names of an owner lack, and what they have besides the expected ones; or empty.

    Such as `val_dir lacks dog; cat is new`, with the first five names of each kind.
    """
    before, now = set(expected), set(names)
    missing = [name for name in expected if name not in now]
    new = [name for name in names if name not in before]
    parts = [f"{owner} lacks {_listed(missing)}"] if missing else []
    if new:
        parts.append(f"{_listed(new)} {'is' if len(new) == 1 else 'are'} new")
    return "; ".join(parts)


def in_class_order(images: ImageDataset, names: tuple[str, ...]) -> ImageDataset:
    """The images with labels that count in the order of `names`, which are all their classes."""
    if images.class_names == names:
        return images
    rows = {name: row for row, name in enumerate(names)}
    return view_of(images, range(len(images)), names, [rows[name] for name in images.class_names])


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{len(names)} classes ({shown}, …)"
