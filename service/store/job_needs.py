"""What a job needs of a worker, as the column `needs` has it: JSON with sorted keys.

The jobs of a resource class are equal in it. Beside the labels it has keys that no label may have,
since they begin with `@`. A server of a version that does not know such a key takes it for a label,
which no worker has: it gives the job to nobody.
"""

import json
from functools import lru_cache

from pydantic import TypeAdapter, ValidationError

from service.contract.reading import log_once
from service.domain.offers import JobNeeds

_NEEDS: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
_KIND, _RECIPE, _FORM, _DATA, _HOSTS = "@kind", "@recipe", "@form", "@data", "@hosts"


def column_of_needs(needs: JobNeeds) -> str:
    """The column's text; the GPUs have a column of their own."""
    keys = {
        _KIND: needs.kind,
        _RECIPE: needs.recipe,
        _FORM: ",".join(sorted(needs.forms or ())),
        _DATA: ",".join(sorted(needs.data_forms)),
        _HOSTS: str(needs.hosts) if needs.hosts > 1 else None,
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
    hosts = needs.pop(_HOSTS, "1")
    forms = frozenset(form.split(",")) if form else None
    data_forms = frozenset(data.split(",")) if data else frozenset()
    return JobNeeds(
        gpus, needs, kind, recipe, forms, data_forms, int(hosts) if hosts.isdecimal() else 1
    )
