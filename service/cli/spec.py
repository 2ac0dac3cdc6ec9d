"""Builds a job's specification from a file and from options, which go before the file."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.cli.exit_codes import BadInput
from service.cli.spec_file import NotFinite, json_value

_SOURCES = ("dataset", "train_dir", "val_dir", "packed")


def merged(file: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The specification of a file in which each option that is not None replaces the field.

    The fields of `params`, `labels`, `retention` and `resources` are replaced one by one; a source
    of data replaces every other one, a folder that goes with it excepted. A job without a kind is
    a train. Raises BadInput for a file whose object is none.
    """
    given = {name: value for name, value in options.items() if value not in (None, {})}
    spec = {"kind": "train", **file}
    for name, value in given.items():
        spec[name] = _joined(name, file, value) if isinstance(value, Mapping) else value
    return spec


def parameter_texts(params: Sequence[str]) -> dict[str, str]:
    """By name the text of each KEY=VALUE; raises BadInput for any other, and one that is twice."""
    return _texts("--param", params, "total_iters=400")


def parameters(params: Sequence[str]) -> dict[str, Any]:
    """By name the value of each KEY=VALUE: JSON, or a text where it is no JSON; raises BadInput."""
    return {key: _value(key, text) for key, text in parameter_texts(params).items()}


def labels(option: str, texts: Sequence[str]) -> dict[str, str]:
    """By name the text of each KEY=VALUE or KEY:VALUE of an option; raises BadInput."""
    pairs = [text if "=" in text else text.replace(":", "=", 1) for text in texts]
    return _texts(option, pairs, "team=vision")


def gpus_of(text: str | None) -> int | dict[str, int] | None:
    """A number of GPUs, or the range of a MIN:MAX; raises BadInput for any other text."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(":")]
    if len(parts) > 2 or not all(part.isascii() and part.isdecimal() for part in parts):
        raise BadInput(f"--gpus {text!r} must be a number like 4, or a range like 2:8")
    numbers = [int(part) for part in parts]
    return numbers[0] if len(numbers) == 1 else {"min": numbers[0], "max": numbers[1]}


def without_none(**fields: Any) -> dict[str, Any]:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def _joined(name: str, file: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    if name in ("init_from", "checkpoint"):
        return dict(value)
    of_file = file.get(name, {})
    if not isinstance(of_file, Mapping):
        raise BadInput(f"{name} in the file must be an object, to go with options")
    if name == "resources" and "labels" in value and isinstance(of_file.get("labels"), Mapping):
        value = {**value, "labels": {**of_file["labels"], **value["labels"]}}
    if name == "data":
        of_file = _compatible(of_file, value)
    return {**of_file, **value}


def _compatible(of_file: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """What of the file's data may stay beside the options."""
    replaced = [source for source in _SOURCES if options.get(source) is not None]
    folders = {"train_dir", "val_dir"}
    gone = set(_SOURCES) if replaced else set()
    if replaced and set(replaced) <= folders:
        gone -= folders
    return {name: value for name, value in of_file.items() if name not in gone}


def _texts(option: str, pairs: Sequence[str], example: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise BadInput(f"{option} {pair!r} must be like {example}")
        if key in texts:
            raise BadInput(f"{option} {key} is there twice: give it one value")
        texts[key] = text
    return texts


def _value(key: str, text: str) -> Any:
    """The value in a JSON text; what is no JSON is a text itself."""
    try:
        return json_value(text)
    except NotFinite as error:
        raise BadInput(f"--param {f'{key}={text}'!r}: {error}") from error
    except (ValueError, RecursionError):
        return text
