"""The control plane whose clock jumps, and which keeps a journal where TRAINYARD_JOURNAL says."""

import os
import sys
from pathlib import Path

from chaos import clocked_server, journal

journal.keep(Path(os.environ["TRAINYARD_JOURNAL"]))
if __name__ == "__main__":
    sys.exit(clocked_server.main.main())
