from collections.abc import Callable
from itertools import count

import pytest

from api_tests.support.use_cases import Agent, Plane
from service.store.engine import Database


@pytest.fixture
def plane(database: Database) -> Plane:
    return Plane(database)


@pytest.fixture
def new_agent(plane: Plane) -> Callable[..., Agent]:
    """Makes workers."""
    numbers = count(1)
    return lambda **said: Agent(plane, f"wrk_{next(numbers)}", **said)


@pytest.fixture
def agent(new_agent: Callable[..., Agent]) -> Agent:
    return new_agent()
