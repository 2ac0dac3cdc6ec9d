"""What a job needs of a worker, as the column `needs` has it: JSON with sorted keys.

The jobs of a resource class are equal in it. Beside the labels it has keys that no label may have,
since they begin with `@`. A server of a version that does not know such a key takes it for a label,
which no worker has: it gives the job to nobody.
"""

import json
from collections.abc import Sequence
from functools import lru_cache

from pydantic import TypeAdapter, ValidationError

from service.contract.reading import log_once
from service.domain.offers import JobNeeds

_NEEDS: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
_KIND, _RECIPE, _FORM, _DATA, _HOSTS = "@kind", "@recipe", "@form", "@data", "@hosts"
_GPUS = "@gpus"


def column_of_needs(needs: JobNeeds) -> str:
    """The column's text; the GPUs that it needs at least have a column of their own."""
    keys = {
        _KIND: needs.kind,
        _RECIPE: needs.recipe,
        _FORM: ",".join(sorted(needs.forms or ())),
        _DATA: ",".join(sorted(needs.data_forms)),
        _HOSTS: str(needs.hosts) if needs.hosts > 1 else None,
        _GPUS: _text_of_counts(needs.gpu_counts),
    }
    return json.dumps(
        {key: value for key, value in keys.items() if value} | dict(needs.labels),
        sort_keys=True,
        allow_nan=False,
    )


@lru_cache(maxsize=1024)
def needs_of_column(column: str, gpus: int) -> JobNeeds:
    """What a column stands for; one of a version before catalogs has labels alone.

    A column that this version cannot read stands for no needs beside the GPUs.
    """
    try:
        needs = _NEEDS.validate_json(column)
    except ValidationError:
        log_once("unreadable_needs", column[:200])
        needs = {}
    kind, recipe, form, data = (needs.pop(key, None) for key in (_KIND, _RECIPE, _FORM, _DATA))
    hosts, counts = needs.pop(_HOSTS, "1"), needs.pop(_GPUS, "")
    forms = frozenset(form.split(",")) if form else None
    data_forms = frozenset(data.split(",")) if data else frozenset()
    return JobNeeds(
        gpus,
        needs,
        kind,
        recipe,
        forms,
        data_forms,
        int(hosts) if hosts.isdecimal() else 1,
        _counts_of_text(counts),
    )


def _text_of_counts(counts: Sequence[int]) -> str:
    """The numbers with commas, or the first and the last where none between them is left out.

    An index has the column: a thousand numbers would be too long for it.
    """
    is_whole = len(counts) > 2 and counts[-1] - counts[0] == len(counts) - 1
    return f"{counts[0]}:{counts[-1]}" if is_whole else ",".join(map(str, counts))


def _counts_of_text(text: str) -> tuple[int, ...]:
    parts = text.split(":" if ":" in text else ",")
    if not all(each.isdecimal() for each in parts):
        return ()
    numbers = tuple(map(int, parts))
    return tuple(range(numbers[0], numbers[-1] + 1)) if ":" in text else numbers
