"""Fixtures: a supernet that has a checkpoint, and a search of one by several workers."""

import pytest

from api_tests.support.control_agent import Agent
from api_tests.support.searches import a_supernet
from api_tests.support.searching_yard import POPULATION, SearchingYard
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import Job


@pytest.fixture
def supernet(control_plane: ControlPlane, agent: Agent) -> Job:
    return a_supernet(control_plane, agent)


@pytest.fixture
def yard(control_plane: ControlPlane, agent: Agent) -> SearchingYard:
    return SearchingYard(control_plane, agent)


@pytest.fixture
def parted(yard: SearchingYard) -> SearchingYard:
    """The first population is divided among three jobs."""
    yard.wants(*range(POPULATION))
    assert yard.turn()
    return yard
