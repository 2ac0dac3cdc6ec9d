"""The JSON of models, as answers have it."""

import json

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError


def json_of(item: BaseModel, of: set[str] | None = None) -> bytes:
    """The JSON of what a row stands for, or `of` some fields alone.

    It may have half of a surrogate pair: escaped.
    """
    try:
        return item.__pydantic_serializer__.to_json(item, include=of)
    except PydanticSerializationError:
        return json.dumps(item.model_dump(mode="json", include=of), allow_nan=False).encode()
