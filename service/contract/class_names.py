"""Class names: one for each row of a classifier, in the order of the rows; read from files too."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from service.contract.checkpoints import MOST_CLASSES
from service.contract.sentences import sentence_of
from service.contract.text import NAME_LENGTH, Text

ClassNames = Annotated[
    tuple[Annotated[Text, Field(max_length=NAME_LENGTH)], ...], Field(max_length=MOST_CLASSES)
]
_CLASS_NAMES: TypeAdapter[tuple[str, ...]] = TypeAdapter(ClassNames)


class InvalidClassNames(ValueError):
    """Names by which classes cannot be matched; the message says why."""


def read_class_names(body: bytes, file: str) -> tuple[str, ...]:
    """The names in a file: a JSON text if it is named `.json`, else a name in each line.

    JSON may be a list of names, names by index as in `imagenet_class_index.json`, whose lists begin
    with the name, or indices by name as torchvision's `class_to_idx`. Raises InvalidClassNames.
    """
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(text) if file.endswith(".json") else _lines(text)
    except ValueError as error:
        raise InvalidClassNames(f"{file} is no file of class names: {error}") from error
    names = names_in(value)
    if names is None:
        raise InvalidClassNames(f"{file} has neither a list of names nor names by index")
    try:
        require_class_names(names)
    except InvalidClassNames as error:
        raise InvalidClassNames(f"{file}: {error}") from error
    return names


def names_in(value: Any) -> tuple[str, ...] | None:
    """The names in a list of names, a map of names by index or of indices by name; else None."""
    if isinstance(value, Mapping):
        value = _by_index(value)
    if not isinstance(value, list | tuple) or not value:
        return None
    return tuple(value) if all(isinstance(name, str) for name in value) else None


def require_class_names(names: Sequence[str]) -> None:
    """Raise InvalidClassNames unless each name is a text that is not blank, and there once."""
    try:
        _CLASS_NAMES.validate_python(tuple(names))
    except ValidationError as error:
        raise InvalidClassNames(f"invalid class names: {sentence_of(error)}") from error
    blank = next((row for row, name in enumerate(names) if not name.strip()), None)
    if blank is not None:
        raise InvalidClassNames(f"the class of row {blank} has a blank name")
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        rows = [row for row, each in enumerate(names) if each == name]
        raise InvalidClassNames(
            f"rows {rows[0]} and {rows[1]} have the same class name {name!r}: names are unique, "
            "such as those of the class folders"
        )


def _lines(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in text.rstrip("\r\n").split("\n")]


def _by_index(value: Mapping[Any, Any]) -> list[Any] | None:
    if all(isinstance(index, int) for index in value.values()):
        value = {index: name for name, index in value.items()}
    try:
        by_index = {int(index): name for index, name in value.items()}
    except (TypeError, ValueError):
        return None
    if sorted(by_index) != list(range(len(value))):
        return None
    named = [by_index[index] for index in range(len(value))]
    return [name[0] if isinstance(name, list | tuple) and name else name for name in named]
