"""The control plane with a clock that jumps: by the seconds in the file TRAINYARD_CLOCK names."""

import dataclasses
import sys

from api_tests.journeys.clock import now
from service import main
from service.context import AppContext
from service.settings import Settings
from service.store.engine import Database

_real_yard = main._yard


def _yard(settings: Settings, database: Database) -> AppContext:
    return dataclasses.replace(_real_yard(settings, database), now=now)


main._yard = _yard
if __name__ == "__main__":
    sys.exit(main.main())
