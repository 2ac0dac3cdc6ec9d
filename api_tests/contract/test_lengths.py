import json
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

import service.api
import service.contract
from service.contract.agent import AttemptResult, ReportedEvent
from service.contract.errors import FieldProblem, Problem
from service.contract.fields import Id
from service.contract.json_values import LIMIT_KEYWORD
from service.contract.registration import Registration
from service.contract.submissions import Submission
from service.contract.text import MESSAGE_LENGTH, Message, Text

UNLIMITED = {"UnreadableSpec", "UnreadableSpec.stored"}
"""A row that another version has written, shown as it is."""
PROCESS = {"boot_id": "b", "pid_namespace": "n", "pid": 1, "started_ticks": 1}
TRAIN = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}


def test_every_text_list_and_map_of_the_contract_has_a_length() -> None:
    unlimited = {name for model in _models() for name in _unlimited(model)}
    assert unlimited == UNLIMITED


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("caf\udce9", r"caf\xe9"),
        ("half of a pair \ud800", r"half of a pair \ud800"),
        ("nul \0", "nul �"),
        ("€ 😀", "€ 😀"),
        ("x" * (MESSAGE_LENGTH + 1), "x" * (MESSAGE_LENGTH - 1) + "…"),
        ("x" * (MESSAGE_LENGTH - 1) + "\udce9", "x" * (MESSAGE_LENGTH - 1) + "…"),
    ],
)
def test_a_text_of_a_worker_is_cut_and_escaped_and_never_refused(sent: str, stored: str) -> None:
    assert TypeAdapter(Message).validate_python(sent) == stored


@pytest.mark.parametrize(
    ("text", "reason"),
    [("\ud800", "surrogate"), ("caf\udce9", "surrogate"), ("a\0", r"U\+0000"), ("x" * 65, "64")],
)
def test_a_text_of_a_user_that_cannot_be_stored_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        TypeAdapter(Id).validate_python(text)
    if len(text) < 64:
        with pytest.raises(ValidationError, match=reason):
            TypeAdapter(Text).validate_python(text)


def test_an_end_of_six_megabytes_is_cut_and_not_refused() -> None:
    end = AttemptResult.model_validate(
        {
            "outcome": "failed",
            "reason": "crashed",
            "message": "m" * 6_000_000,
            "result": {"a\ud800": ["x" * 6_000_000, float("nan")], "b": 1},
        }
    )
    assert len(end.message) == MESSAGE_LENGTH
    assert len(end.model_dump_json()) < 100_000
    assert end.result is not None
    assert list(end.result) == [r"a\ud800", "b"]


def test_an_event_keeps_what_fits_and_can_be_written_as_json() -> None:
    deep: Any = "leaf"
    for _ in range(100):
        deep = [deep]
    body = {"name": "caf\udce9", "deep": deep, "loss": float("inf"), "large": 10**400}
    event = ReportedEvent.model_validate(
        {"seq": 1, "kind": "note", "at": "2026-01-01T00:00:00Z", "body": body}
    )
    written = json.loads(event.model_dump_json())["body"]
    assert written["name"] == r"caf\xe9"
    assert (written["loss"], written["large"]) == (None, None)


def test_what_a_worker_registers_with_is_cut() -> None:
    labels = {f"key-{number}": "value" for number in range(500)}
    gpus = [{"index": number, "name": "g" * 999, "memory_bytes": 1} for number in range(5000)]
    registration = Registration.model_validate(
        {
            "host": "h" * 9999,
            "process": PROCESS,
            "gpus": gpus,
            "labels": labels,
            "version": "9" * 99,
        }
    )
    assert (len(registration.host), len(registration.version)) == (255, 64)
    assert (len(registration.labels), len(registration.gpus)) == (64, 1024)
    assert len(registration.gpus[0].name) == 255


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"resources": {"labels": {f"k{n}": "v" for n in range(65)}}}, "64"),
        ({"labels": {f"k{n}": "v" for n in range(65)}}, "64"),
        ({"params": {"seed": "1" * 70_000}}, "65536 bytes"),
        ({"data": {"train_dir": "t" * 5000, "val_dir": "v"}}, "4096"),
    ],
)
def test_a_submission_that_is_too_large_is_refused(fields: dict[str, Any], reason: str) -> None:
    spec = {name: value for name, value in TRAIN.items() if name not in fields}
    with pytest.raises(ValidationError, match=reason):
        Submission.model_validate(spec | fields)


def test_a_problem_document_quotes_a_part_of_what_was_sent() -> None:
    problem = Problem(
        title="t",
        status=422,
        detail="\ud800" * 100_000,
        code="invalid",
        errors=tuple(FieldProblem(pointer="/\ud800", detail="d") for _ in range(5000)),
    )
    assert len(problem.model_dump_json()) < 20_000


def _models() -> Iterator[type[BaseModel]]:
    for package in (service.contract, service.api):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for value in vars(import_module(module.name)).values():
                is_model = isinstance(value, type) and issubclass(value, BaseModel)
                if is_model and value.__module__.startswith(package.__name__):
                    yield value


def _unlimited(model: type[BaseModel]) -> Iterator[str]:
    for mode in ("validation", "serialization"):
        schema = model.model_json_schema(mode=mode)
        for name, part in ({model.__name__: schema} | schema.get("$defs", {})).items():
            yield from _unlimited_in(name, part)


def _unlimited_in(path: str, schema: Any) -> Iterator[str]:
    if not _is_limited(schema):
        yield path
    for name, part in schema.get("properties", {}).items():
        yield from _unlimited_in(f"{path}.{name}", part)
    for keyword in ("items", "additionalProperties", "propertyNames"):
        part = schema.get(keyword)
        if isinstance(part, dict) and LIMIT_KEYWORD not in schema:
            named = {"type": "string"} | part if keyword == "propertyNames" else part
            yield from _unlimited_in(f"{path}[{keyword}]", named)
    if "properties" in schema:
        # A union beside fields is a rule about them.
        return
    for keyword in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(keyword, ()):
            yield from _unlimited_in(path, part)


def _is_limited(schema: dict[str, Any]) -> bool:
    if schema.keys() & {"$ref", "anyOf", "oneOf", "allOf", "enum", "const", LIMIT_KEYWORD}:
        return True
    kind = schema.get("type")
    if kind == "string":
        return "maxLength" in schema or schema.get("format") == "date-time"
    if kind == "array":
        return "maxItems" in schema
    if kind == "object":
        is_map = schema.get("additionalProperties", False) is not False
        is_map |= "patternProperties" in schema
        return not is_map or ("maxProperties" in schema and "propertyNames" in schema)
    return kind is not None
