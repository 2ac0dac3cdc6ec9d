"""The control plane whose clock jumps, and which keeps a journal where TRAINYARD_JOURNAL says."""

import os
import sys
from pathlib import Path

import chaos.clocked_server  # noqa: F401  The clock is turned when it is imported.
from chaos import journal
from service import main

journal.keep(Path(os.environ["TRAINYARD_JOURNAL"]))
if __name__ == "__main__":
    sys.exit(main.main())
