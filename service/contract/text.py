"""Text that every database, JSON and UTF-8 can hold, and the lengths that all contents have.

A user's text is refused where it is too long or cannot be stored. What a worker, another version or
a row has is cut and escaped instead: it is never refused for its length.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from service.contract.json_types import STORABLE

MESSAGE_LENGTH = 4000
"""The characters of a sentence for people, such as the message of an error."""
PATH_LENGTH = 4096
"""The longest path of Linux, PATH_MAX, in bytes."""
NAME_LENGTH = 255
"""The longest name of a file of Linux, NAME_MAX, in bytes."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_BYTES = range(0xDC80, 0xDD00)
"""How `surrogateescape` carries the bytes 0x80 to 0xff of a name that is not UTF-8."""
_ELLIPSIS = "…"
_LIMITS = {"string": "maxLength", "array": "maxItems", "object": "maxProperties"}


def storable_text(text: str) -> str:
    r"""The text with U+0000 replaced and halves of surrogate pairs escaped.

    A byte of a file's name that is not UTF-8 is shown as `\xe9`, any other half as `\ud800`.
    """
    return _UNSTORABLE.sub(_escaped, text) if _UNSTORABLE.search(text) else text


def cut_text(text: str, length: int) -> str:
    """The text as it can be stored, with at most `length` characters; `…` ends a cut one."""
    # Cut first: the whole may have megabytes.
    storable = storable_text(text[: length + 1])
    return storable if len(storable) <= length else storable[: length - 1] + _ELLIPSIS


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code == 0:
        return "\ufffd"
    return f"\\x{code - 0xDC00:02x}" if code in _BYTES else f"\\u{code:04x}"


def _check_storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("the character U+0000 is not allowed here")
    if _UNSTORABLE.search(text):
        raise ValueError("half of a surrogate pair is not allowed here; send the text as UTF-8")
    return text


@dataclass(frozen=True)
class CutTo:
    """Marks a text, a list or a map that is cut to `length`: of a text the characters count."""

    length: int

    def cut(self, value: Any) -> Any:
        """The first `length` of what the value has; what has no length is as it was."""
        if isinstance(value, str):
            return cut_text(value, self.length)
        if isinstance(value, Mapping) and len(value) > self.length:
            return dict(islice(value.items(), self.length))
        if isinstance(value, list | tuple) and len(value) > self.length:
            return value[: self.length]
        return value

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.cut, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        described = handler(schema)
        return described | {_LIMITS[described["type"]]: self.length}


StorableText = Annotated[str, AfterValidator(_check_storable), Field(max_length=PATH_LENGTH)]
"""As `Text`; its schema has no pattern, since it is a part of the form of every recipe."""

Text = Annotated[StorableText, STORABLE]
"""A text of a user; refused if no database or JSON can hold it."""

Message = Annotated[str, CutTo(MESSAGE_LENGTH)]
"""A sentence for people; cut, never refused."""

ShortText = Annotated[str, CutTo(NAME_LENGTH)]
"""A name or a version of a worker, another version or a row; cut, never refused."""

PathText = Annotated[str, CutTo(PATH_LENGTH)]
"""A path as a worker or a row has it; cut, never refused."""
