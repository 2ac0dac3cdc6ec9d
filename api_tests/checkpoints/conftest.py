from pathlib import Path

import pytest

from api_tests.support.checkpoint_volume import Volume
from service.store.engine import Database


@pytest.fixture
def volume(database: Database, tmp_path: Path) -> Volume:
    """Empty, on each kind of database."""
    return Volume(database, tmp_path / "volume")
