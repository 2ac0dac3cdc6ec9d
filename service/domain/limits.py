"""How many jobs with a label may run at once, as an operator writes it."""

import re
from dataclasses import dataclass

from service.contract.fields import LABEL_KEY

EACH = "*"


@dataclass(frozen=True)
class Limit:
    """At most `most` jobs with this label run at once; the value `*` limits each value apart."""

    label: str
    value: str
    most: int


def parse_limits(text: str) -> tuple[Limit, ...]:
    """`team=vision:2,owner=*:4`; raises ValueError that quotes what cannot be read."""
    limits: dict[tuple[str, str], Limit] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        label, equals, rest = part.partition("=")
        value, colon, most = rest.rpartition(":")
        if not (equals and colon and value and most.isdecimal() and int(most) >= 1):
            raise ValueError(f"{part!r} is no limit; write label=value:number, as team=vision:2")
        if not re.match(LABEL_KEY, label):
            raise ValueError(f"{label!r} is no label key: use letters, digits and ._/-")
        limits[label, value] = Limit(label, value, int(most))
    return tuple(limits.values())
