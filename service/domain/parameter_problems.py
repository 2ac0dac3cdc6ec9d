"""What is wrong with a parameter, as one sentence: the field, its limit, and what to change."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from service.contract.counts import count_text
from service.contract.errors import FieldProblem
from service.contract.nearest import nearest_name
from service.contract.paths import data_path_problem
from service.domain.parameter_schemas import Schema, resolved

_SHOWN_CHARACTERS = 40
_MOST_PROBLEMS = 20
_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_FIRST = ("type", "enum", "const", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def problems_of(
    recipe: str, schema: Schema, errors: Iterable[ValidationError]
) -> list[FieldProblem]:
    """One problem for each wrong parameter of a recipe, in the order of the schema."""
    problems: dict[str, str] = {}
    for error in sorted(errors, key=_precedence):
        for path, sentence in _sentences(recipe, schema, error):
            problems.setdefault(pointer_to(*path), sentence)
    return [
        FieldProblem(pointer=pointer, detail=sentence)
        for pointer, sentence in list(problems.items())[:_MOST_PROBLEMS]
    ]


def pointer_to(*path: Any) -> str:
    """The JSON pointer to a parameter, or to something in it, within a submission."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in ("params", *path))
    return "".join(f"/{part}" for part in parts).encode(errors="replace").decode()


def _precedence(error: ValidationError) -> int:
    return _FIRST.index(error.validator) if error.validator in _FIRST else len(_FIRST)


def _sentences(
    recipe: str, schema: Schema, error: ValidationError
) -> Iterator[tuple[tuple[Any, ...], str]]:
    path = tuple(error.absolute_path)
    condition = _condition(error, schema)
    if error.validator == "additionalProperties":
        yield from _unknown(recipe, path, error)
    elif error.validator == "required":
        for name in error.validator_value:
            if name not in error.instance:
                yield (*path, name), _missing(name, condition, schema)
    elif condition and error.validator == "type" and error.instance is None:
        yield path, _missing(str(path[-1]), condition, schema)
    else:
        sentence = _sentence(_name(path), error)
        yield path, f"with {condition}, {sentence}" if condition else sentence


def _unknown(
    recipe: str, path: tuple[Any, ...], error: ValidationError
) -> Iterator[tuple[tuple[Any, ...], str]]:
    known = list(error.schema.get("properties", ()))
    for name in error.instance:
        if name not in known:
            nearest = nearest_name(name, known)
            hint = f"did you mean {nearest}?" if nearest else f"{recipe} has {', '.join(known)}"
            yield (*path, name), f"this field is not known; {hint}"


def _missing(name: str, condition: str, schema: Schema) -> str:
    if not condition:
        return f"{name} must be given; it has no default"
    description = resolved(schema["properties"].get(name, {}), schema).get("description")
    what = f": {description[0].lower()}{description[1:].rstrip('.')}" if description else ""
    return f"{condition} needs {name}{what}"


def _sentence(name: str, error: ValidationError) -> str:
    wrong = _shown(error.instance)
    if error.validator == "not" and "description" in error.validator_value:
        # Of a recipe that says so, such as "be 1, which leaves nothing to train on".
        return f"{name} must not {error.validator_value['description']}: it is {wrong}"
    write = _SENTENCES.get(str(error.validator))
    if write is not None:
        must, instead = write(error.validator_value, error)
        return f"{name} must {must}: {wrong} is not" + (f"; {instead}" if instead else "")
    if error.validator in ("anyOf", "oneOf"):
        return _of_branches(name, error)
    if error.validator == "format" and error.validator_value == "data-path":
        return str(data_path_problem(error.instance))
    return f"{name} is not valid: {error.message[:200]}"


def _of_branches(name: str, error: ValidationError) -> str:
    branches: dict[Any, list[ValidationError]] = {}
    for each in error.context or ():
        branches.setdefault(each.relative_schema_path[0], []).append(each)
    fitting = [
        min(problems, key=_precedence)
        for problems in branches.values()
        if not any(each.validator == "type" and not each.relative_path for each in problems)
    ]
    if fitting and fitting[0].validator != "const":
        return _sentence(name, fitting[0])
    types = [_shown(each.validator_value) for each in fitting] + [
        _alternative(each)
        for problems in branches.values()
        for each in problems
        if each.validator == "type" and not each.relative_path
    ]
    if not types:
        return f"{name} fits more than one of the forms that it may have"
    return f"{name} must be {' or '.join(types)}: {_shown(error.instance)} is not"


def _alternative(error: ValidationError) -> str:
    const = error.schema.get("const") if isinstance(error.schema, Mapping) else None
    return _type_names(error.validator_value) if const is None else _shown(const)


def _type(types: Any, error: ValidationError) -> tuple[str, str]:
    default = error.schema.get("default") if isinstance(error.schema, Mapping) else None
    return f"be {_type_names(types)}", f"as in {_shown(default)}" if default is not None else ""


def _type_names(types: Any) -> str:
    names = [types] if isinstance(types, str) else types
    return " or ".join(_TYPES.get(name, name) for name in names)


def _enum(values: Any, error: ValidationError) -> tuple[str, str]:
    texts = [each if isinstance(each, str) else json.dumps(each) for each in values]
    nearest = nearest_name(str(error.instance), texts)
    return f"be one of {', '.join(texts)}", f"did you mean {nearest}?" if nearest else ""


def _multiple(factor: Any, error: ValidationError) -> tuple[str, str]:
    below = error.instance // factor * factor
    return f"be a multiple of {factor}", f"use {_shown(below)} or {_shown(below + factor)}"


_SENTENCES: dict[str, Callable[[Any, ValidationError], tuple[str, str]]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda value, _: (f"be {_shown(value)}", ""),
    "minimum": lambda limit, _: (f"be greater than or equal to {limit}", f"use {limit} or more"),
    "maximum": lambda limit, _: (f"be less than or equal to {limit}", f"use {limit} or less"),
    "exclusiveMinimum": lambda limit, _: (f"be greater than {limit}", ""),
    "exclusiveMaximum": lambda limit, _: (f"be less than {limit}", ""),
    "multipleOf": _multiple,
    "pattern": lambda pattern, _: (f"match the pattern {pattern}", ""),
    "minLength": lambda limit, _: (f"have at least {count_text(limit, 'character')}", ""),
    "maxLength": lambda limit, _: (f"have at most {count_text(limit, 'character')}", ""),
    "minItems": lambda limit, _: (f"have at least {count_text(limit, 'item')}", ""),
    "maxItems": lambda limit, _: (f"have at most {count_text(limit, 'item')}", ""),
}


def _condition(error: ValidationError, schema: Schema) -> str:
    """The condition of the `then` or `else` that the error came from, as in `preprocessing x`."""
    node: Any = schema
    conditions = ""
    for step in error.absolute_schema_path:
        if step in ("then", "else") and isinstance(node, Mapping) and "if" in node:
            terms = " and ".join(_terms(node["if"]))
            conditions = f"other than {terms}" if terms and step == "else" else terms
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return conditions
    return conditions


def _terms(condition: Any) -> Iterator[str]:
    """What a condition says of single parameters, as in `preprocessing crop or pad`."""
    properties = condition.get("properties", {}) if isinstance(condition, Mapping) else {}
    for name, schema in properties.items():
        values = schema if isinstance(schema, Mapping) else {}
        named = values.get("enum") or ([values["const"]] if "const" in values else [])
        if named:
            yield f"{name} {' or '.join(map(str, named))}"


def _name(path: tuple[Any, ...]) -> str:
    return ".".join(map(str, path)) or "the parameters"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
