"""The fixtures of tests that call use cases without HTTP; a conftest takes them in by import."""

from collections.abc import Callable
from itertools import count

import pytest

from api_tests.support.control_agent import Agent
from api_tests.support.use_cases import ControlPlane
from service.store.engine import Database


@pytest.fixture
def control_plane(database: Database) -> ControlPlane:
    """The use cases over a database."""
    return ControlPlane(database)


@pytest.fixture
def new_agent(control_plane: ControlPlane) -> Callable[..., Agent]:
    """Makes workers."""
    numbers = count(1)
    return lambda **fields: Agent(control_plane, f"wrk_{next(numbers)}", **fields)


@pytest.fixture
def agent(new_agent: Callable[..., Agent]) -> Agent:
    """A worker that has registered."""
    return new_agent()


@pytest.fixture
def narrow(new_agent: Callable[..., Agent]) -> Agent:
    """A worker with one slot."""
    return new_agent(slots=1)
