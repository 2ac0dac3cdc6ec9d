"""A supernet of the digits, trained for a few steps."""

import pytest

from api_tests.support.digit_searches import Searched, TrainedSupernet, trained_supernet


@pytest.fixture(scope="session")
def supernet(tmp_path_factory: pytest.TempPathFactory) -> TrainedSupernet:
    """It is trained once; each search of it is a job of its own."""
    return trained_supernet(tmp_path_factory.mktemp("supernet"))


@pytest.fixture(scope="session")
def alone(supernet: TrainedSupernet) -> Searched:
    """A search that measures one candidate at a time, and that nothing has disturbed."""
    return supernet.searched(at_once=1)
