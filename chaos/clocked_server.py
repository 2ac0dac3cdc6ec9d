"""The control plane with a clock that jumps: by the seconds in the file TRAINYARD_CLOCK names."""

import dataclasses
import sys

from chaos.clock import now
from service import main
from service.context import AppContext
from service.settings import Settings
from service.store.engine import Database

_real_context = main._context


def _context(settings: Settings, database: Database) -> AppContext:
    return dataclasses.replace(_real_context(settings, database), now=now)


main._context = _context
if __name__ == "__main__":
    sys.exit(main.main())
