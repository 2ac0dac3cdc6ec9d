"""The JSON of models, as answers have it."""

import json

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError


def json_of(item: BaseModel) -> bytes:
    """The JSON of what a row stands for, which may have half of a surrogate pair: escaped."""
    try:
        return item.__pydantic_serializer__.to_json(item)
    except PydanticSerializationError:
        return json.dumps(item.model_dump(mode="json"), allow_nan=False).encode()
