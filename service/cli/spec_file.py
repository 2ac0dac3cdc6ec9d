"""Reads a specification from a file or from stdin, as JSON or YAML."""

import codecs
import json
import math
import sys
from pathlib import Path
from typing import Any

import typer

from service.cli.exit_codes import BadInput


def read_spec_file(file: str | None, example: str) -> dict[str, Any]:
    """The object in `file`, or on stdin for `-`; an empty one if `file` is None.

    `example` begins an object that would be right, for who has sent another.

    The text is UTF-8, UTF-16 or UTF-32, with or without a byte order mark; what begins as JSON does
    is JSON, and everything else YAML, with the plain values of YAML 1.2. Raises BadInput for a file
    that cannot be read or holds no object.
    """
    if file is None:
        return {}
    if file == "-" and sys.stdin is None:
        raise BadInput("stdin is closed: give it the JSON, or name a file")
    try:
        raw = typer.get_binary_stream("stdin").read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error}") from error
    try:
        spec = _parsed(raw)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file} is not JSON or YAML: {error}") from error
    if not isinstance(spec, dict):
        raise BadInput(f"{file} must hold a JSON object like {example}, or YAML")
    return spec


def json_value(text: str) -> Any:
    """The value of a JSON text, without numbers that JSON cannot hold; raises ValueError."""
    return json.loads(text, parse_float=finite, parse_constant=finite)


class NotFinite(ValueError):
    """A number that JSON cannot hold."""


def finite(text: str) -> float:
    """The number in a text; raises NotFinite."""
    if not math.isfinite(number := float(text)):
        raise NotFinite(f"{text} is no finite number")
    return number


def _parsed(raw: bytes) -> Any:
    text = raw.decode(json.detect_encoding(raw)).removeprefix(codecs.BOM_UTF8.decode())
    if text.lstrip()[:1] in ("{", "[", ""):
        return json_value(text)
    # Of half a hundred commands this one alone needs it.
    from service.cli.yaml_text import yaml_value

    return yaml_value(text)
