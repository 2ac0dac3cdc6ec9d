"""Specifications without the paths that a search is given, of which there may be 20,000.

The database leaves them out: a list of a thousand such searches would else be half a gigabyte.
"""

from service.store.json_columns import is_unreadable_on_postgresql

GIVEN_PATHS = "/spec/params/candidates"
"""Where they are in a job, as a JSON pointer."""

_HAS_PATHS = {
    "sqlite": (
        # SQLite checks no column: a row that is no JSON would stop the whole list.
        "kind = 'search' AND CASE WHEN json_valid(spec) "
        "THEN json_type(spec, '$.params.candidates') = 'array' END"
    ),
    "postgresql": (
        f"kind = 'search' AND CASE WHEN NOT {is_unreadable_on_postgresql('spec::text')} "
        "THEN json_typeof(spec #> '{params,candidates}') = 'array' END"
    ),
}
SHORT_SPEC = {
    "sqlite": (
        f"CASE WHEN {_HAS_PATHS['sqlite']} "
        "THEN json_remove(spec, '$.params.candidates') ELSE spec END"
    ),
    "postgresql": (
        f"CASE WHEN {_HAS_PATHS['postgresql']} "
        "THEN (spec::jsonb #- '{params,candidates}')::text ELSE spec::text END"
    ),
}
"""By dialect the expression of a row's spec as text without them."""
LEFT_OUT = {
    "sqlite": (
        f"CASE WHEN {_HAS_PATHS['sqlite']} THEN json_array_length(spec, '$.params.candidates') END"
    ),
    "postgresql": (
        f"CASE WHEN {_HAS_PATHS['postgresql']} "
        "THEN json_array_length(spec #> '{params,candidates}') END"
    ),
}
"""By dialect the expression of how many they are; NULL of a row without them."""
