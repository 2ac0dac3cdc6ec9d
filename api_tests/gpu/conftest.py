"""Tests marked `gpu` are skipped where torch has no CUDA device."""

import pytest

from api_tests.support.worker_fixtures import control_plane, start_worker

__all__ = ["control_plane", "start_worker"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if torch.cuda.is_available():
        return
    for item in marked:
        item.add_marker(pytest.mark.skip(reason="torch has no CUDA device here"))
