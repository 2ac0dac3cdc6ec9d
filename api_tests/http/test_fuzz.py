import json
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FIELDS = st.sampled_from(
    [
        "kind",
        "recipe",
        "variant",
        "name",
        "labels",
        "data",
        "params",
        "retention",
        "init_from",
        "checkpoint",
        "resources",
        "priority",
        "max_failures",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["train", "eval", "oneshot", "digits", "\0", "\ud800", 10**400, "1.0x"])
)
NAMES = st.text() | FIELDS | st.sampled_from(["\0", "\ud800", "~/", "x" * 300])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
VALID = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
PARAMS = ["total_iters", "batch_size", "learning_rate", "image_size", "mean_image", "seed"]
FUZZ = settings(
    max_examples=60,
    deadline=None,
    # The fixture is one server for all: it has nothing to reset.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FUZZ
@given(body=VALUES)
def test_no_body_at_all_breaks_the_server(http: httpx.Client, body: Any) -> None:
    answer_is_no_mistake(http, body)


@FUZZ
@given(changes=st.dictionaries(FIELDS, VALUES, min_size=1, max_size=3))
def test_no_change_of_a_valid_body_breaks_the_server(
    http: httpx.Client, changes: dict[str, Any]
) -> None:
    answer_is_no_mistake(http, VALID | changes)


@FUZZ
@given(params=st.dictionaries(st.sampled_from(PARAMS) | NAMES, VALUES, max_size=3))
def test_no_parameters_break_the_server(http: httpx.Client, params: dict[str, Any]) -> None:
    answer_is_no_mistake(http, VALID | {"params": params})


@FUZZ
@given(query=st.dictionaries(st.sampled_from(["state", "label", "after", "limit"]), st.text()))
def test_no_query_breaks_the_list(http: httpx.Client, query: dict[str, str]) -> None:
    assert http.get("/jobs", params=query).status_code in (200, 422)


def answer_is_no_mistake(http: httpx.Client, body: Any) -> None:
    sent = {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}
    answer = http.post("/jobs", params={"validate_only": "true"}, **sent)
    assert answer.status_code in (200, 400, 422), answer.text
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json"
