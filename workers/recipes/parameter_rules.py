"""What parameters say of each other, as parts of a JSON Schema: for those who have that alone.

Validators of `workers.recipes.params` check the same.
"""

from pydantic.config import JsonDict

SUBTRACTS_MEAN = "bgr255_minus_mean"
"""The preprocessing that needs a mean image."""

ORIGINAL_WAY = {"precision": "fp32", "memory_format": "contiguous", "compile": "off"}
"""What `parity` is."""

_MEAN: JsonDict = {
    "if": {
        "properties": {"preprocessing": {"const": SUBTRACTS_MEAN}},
        "required": ["preprocessing"],
    },
    "then": {"properties": {"mean_image": {"type": "string"}}, "required": ["mean_image"]},
}
_PARITY: JsonDict = {
    "if": {"properties": {"parity": {"const": True}}, "required": ["parity"]},
    "then": {
        "properties": {name: {"enum": ["auto", way]} for name, way in ORIGINAL_WAY.items()},
    },
}
_DECODING: JsonDict = {
    "if": {"properties": {"decode_on": {"const": "device"}}, "required": ["decode_on"]},
    "then": {"properties": {"augment_on": {"enum": ["auto", "device"]}}},
}
_SYNCHRONISED: JsonDict = {
    "if": {"properties": {"batch_norm": {"const": "synchronised"}}, "required": ["batch_norm"]},
    "then": {"properties": {"compile": {"enum": ["auto", "off"]}}},
}
RULES: JsonDict = {"allOf": [_MEAN, _PARITY, _DECODING, _SYNCHRONISED]}
