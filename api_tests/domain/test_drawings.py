import pytest

from api_tests.support.drawings import PAGE, drawings, on_the_page
from service.contract.jobs import AttemptState, JobState


@pytest.mark.parametrize("name", ["jobs", "attempts"])
def test_the_page_draws_the_table_as_the_code_has_it(name: str) -> None:
    drawn = on_the_page(name, PAGE.read_text())
    assert drawn == drawings()[name], "draw anew: python -m api_tests.support.drawings"


@pytest.mark.parametrize(("name", "states"), [("jobs", JobState), ("attempts", AttemptState)])
def test_a_drawing_has_every_state(name: str, states: type[JobState] | type[AttemptState]) -> None:
    for state in states:
        assert f"--> {state}" in drawings()[name]
