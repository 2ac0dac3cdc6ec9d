"""The control plane with a clock that jumps: by the seconds in the file TRAINYARD_CLOCK names."""

import dataclasses
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service import main
from service.api.deps import Yard
from service.settings import Settings
from service.store.engine import Database

_CLOCK = Path(os.environ["TRAINYARD_CLOCK"])
_real_yard = main._yard


def _now() -> datetime:
    ahead_seconds = float(_CLOCK.read_text()) if _CLOCK.exists() else 0.0
    return datetime.now(UTC) + timedelta(seconds=ahead_seconds)


def _yard(settings: Settings, database: Database) -> Yard:
    return dataclasses.replace(_real_yard(settings, database), now=_now)


main._yard = _yard
if __name__ == "__main__":
    sys.exit(main.main())
