"""What is wrong with the class folders of a split, as far as it shows without reading an image."""

from collections import Counter
from collections.abc import Iterator

from service.contract.text import NAME_LENGTH, cut_text
from workers.data.file_names import path_below, printable
from workers.data.images import Split
from workers.data.sources.class_folders import ClassFolders, described


def name_in_split(split: Split, folder: str, relative: str) -> str:
    """How messages name a path below the folder of a split; `relative` may be empty."""
    return f"{path_below(folder, relative)} ({split} split)"


def class_names_as_text(folders: ClassFolders) -> tuple[str, ...]:
    """The names of the classes as checkpoints have them.

    A name that is not UTF-8 could be written into no JSON.
    """
    return tuple(cut_text(name, NAME_LENGTH) for name in folders.class_names)


def class_problems(folders: ClassFolders, folder: str, split: Split) -> Iterator[str]:
    """What a training or an eval would refuse; `folder` is that of the split."""
    name = name_in_split(split, folder, "")
    if not folders.class_names:
        yield f"{name} needs one sub-folder of images for each class"
    yield from _empty_classes(folders, folder, split)
    if len(folders.class_names) == 1:
        only = folders.class_names[0]
        below = {path.split("/")[1] for path, _ in folders.images if path.count("/") > 1}
        inner = path_below(folder, only)
        hint = f"; are the classes the folders in {inner}?" if len(below) > 1 else ""
        yield f"{name} has one class alone, {printable(only)}{hint}"
    for text, count in Counter(class_names_as_text(folders)).items():
        if count > 1:
            yield (
                f"{name} has {count} class folders whose names are written {printable(text)}: "
                "rename all but one of them"
            )


def _empty_classes(folders: ClassFolders, folder: str, split: Split) -> Iterator[str]:
    filled = {label for _, label in folders.images}
    for label, class_name in enumerate(folders.class_names):
        if label not in filled:
            passed_over = described(folders.passed_over)
            seen = f" (passed over: {passed_over})" if passed_over else ""
            empty = name_in_split(split, folder, class_name)
            yield f"{empty} contains no image{seen}; add images or remove it"
