"""Builds a job's specification from a file, from stdin, and from options."""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from service.cli.exit_codes import BadInput


def read_spec(file: str | None) -> dict[str, Any]:
    """The JSON object in `file`, or on stdin for `-`; a train without fields if `file` is None.

    The text is UTF-8, UTF-16 or UTF-32, with or without a byte order mark, as the API takes it.
    Raises BadInput for a file that cannot be read or holds no JSON object.
    """
    if file is None:
        return {"kind": "train"}
    if file == "-" and sys.stdin is None:
        raise BadInput("stdin is closed: give it the JSON, or name a file")
    try:
        text = typer.get_binary_stream("stdin").read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error}") from error
    try:
        spec = _parsed(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file} is not JSON: {error}") from error
    if not isinstance(spec, dict):
        raise BadInput(f'{file} must hold a JSON object like {{"kind": "train", …}}')
    return spec


def with_options(
    spec: dict[str, Any],
    *,
    recipe: str | None,
    dataset: str | None,
    name: str | None,
    params: Sequence[str],
) -> dict[str, Any]:
    """A copy of `spec` in which each given option replaces the field of the file.

    Raises BadInput for a parameter that is not KEY=VALUE, that is there twice, or whose value no
    JSON can hold, and for a file whose `params` is no object.
    """
    options = {"recipe": recipe, "name": name, "data": {"dataset": dataset} if dataset else None}
    merged = spec | {key: value for key, value in options.items() if value is not None}
    if params:
        of_file = spec.get("params", {})
        if not isinstance(of_file, dict):
            raise BadInput("params in the file must be an object, to go with --param")
        merged["params"] = of_file | _pairs(params)
    return merged


def parameter_texts(params: Sequence[str]) -> dict[str, str]:
    """By name the text of each KEY=VALUE; raises BadInput for any other, and one that is twice."""
    texts: dict[str, str] = {}
    for param in params:
        key, equals, text = param.partition("=")
        if not equals or not key:
            raise BadInput(f"--param {param!r} must be like total_iters=400")
        if key in texts:
            raise BadInput(f"--param {key} is there twice: give it one value")
        texts[key] = text
    return texts


def _pairs(params: Sequence[str]) -> dict[str, Any]:
    return {key: _value(key, text) for key, text in parameter_texts(params).items()}


def _value(key: str, text: str) -> Any:
    """The value in a JSON text; what is no JSON is a text itself."""
    try:
        return _parsed(text)
    except _NotFinite as error:
        raise BadInput(f"--param {f'{key}={text}'!r}: {error}") from error
    except (ValueError, RecursionError):
        return text


class _NotFinite(ValueError):
    """A number that JSON cannot hold."""


def _parsed(text: str | bytes) -> Any:
    return json.loads(text, parse_float=_finite, parse_constant=_finite)


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise _NotFinite(f"{text} is no finite number")
    return number
