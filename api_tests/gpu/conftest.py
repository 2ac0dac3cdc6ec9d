"""Tests marked `gpu` are skipped where torch has no CUDA device."""

import pytest

from api_tests.agent.conftest import control_plane as control_plane
from api_tests.agent.conftest import start_worker as start_worker


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if torch.cuda.is_available():
        return
    for item in marked:
        item.add_marker(pytest.mark.skip(reason="torch has no CUDA device here"))
