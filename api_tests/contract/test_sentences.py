from typing import Any

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from service.contract.agent import Beat
from service.contract.sentences import sentence_of, sentences_of
from service.contract.specs import Name


class Inner(BaseModel):
    size: int = Field(ge=1)


class Outer(BaseModel):
    inner: Inner = Inner(size=1)
    names: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _never_three(self) -> "Outer":
        if len(self.names) == 3:
            raise ValueError("three names are too many")
        return self


def _refused(body: dict[str, Any]) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        Outer.model_validate(body)
    return refused.value


def test_a_sentence_names_the_field_and_what_is_wrong_with_it() -> None:
    error = _refused({"inner": {"size": 0}})
    assert sentence_of(error) == "inner.size: Input should be greater than or equal to 1"


def test_our_own_message_about_the_whole_stands_alone() -> None:
    assert sentence_of(_refused({"names": [1, 2, 3]})) == "three names are too many"


def test_a_line_has_three_sentences_and_says_how_many_more_there_are() -> None:
    error = _refused({"names": list("abcde")})
    assert sentence_of(error).endswith("; and 2 more")
    assert sentence_of(error).count("names.") == 3
    assert len(sentences_of(error)) == 5


def test_a_field_may_be_named_in_the_reader_s_terms() -> None:
    error = _refused({"inner": {"size": 0}})
    (sentence,) = sentences_of(error, lambda each: f"--{each['loc'][-1]}")
    assert sentence.startswith("--size: ")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "String should have at least 1 character"),
        ("n" * 201, "String should have at most 200 characters"),
    ],
)
def test_the_length_of_a_text_is_told_in_characters(name: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Name).validate_python(name)
    assert sentence_of(refused.value) == sentence


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({"at": "x", "kind": "note", "seq": 1}, "at: Input should be a valid datetime"),
        ({"at": "x", "kind": "note", "seq": 1, "body": 3}, "; body: Input should be a valid dict"),
        (3, "could not be read: Input should be a valid dict"),
    ],
)
def test_an_event_that_cannot_be_read_is_named_by_its_own_fields(event: Any, problem: str) -> None:
    lease = {"job_id": "job_1", "attempt": 1, "token": "t"}
    (unreadable,) = Beat.model_validate(lease | {"events": [event]}).events
    assert problem in unreadable.body["message"]
    assert "0" not in unreadable.body["message"]
