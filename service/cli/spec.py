"""Builds a job's specification from a file, from stdin, and from options."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from service.cli.group import BadInput


def read_spec(file: str | None) -> dict[str, Any]:
    """The JSON object in `file`, or on stdin for `-`; a train without fields if `file` is None.

    Raises BadInput for a file that cannot be read or holds no JSON object.
    """
    if file is None:
        return {"kind": "train"}
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read: {error}") from error
    try:
        spec = json.loads(text)
    except ValueError as error:
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

    Raises BadInput for a parameter that is not KEY=VALUE.
    """
    options = {"recipe": recipe, "name": name, "data": {"dataset": dataset} if dataset else None}
    merged = spec | {key: value for key, value in options.items() if value is not None}
    if params:
        merged["params"] = {**spec.get("params", {}), **dict(map(_pair, params))}
    return merged


def _pair(param: str) -> tuple[str, Any]:
    key, equals, text = param.partition("=")
    if not equals or not key:
        raise BadInput(f"--param {param!r} must be like total_iters=400")
    try:
        return key, json.loads(text)
    except ValueError:
        return key, text
