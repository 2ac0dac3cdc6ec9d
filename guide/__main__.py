"""`python -m guide`: builds the guide into the folder that the server serves as `/guide`."""

import sys
from pathlib import Path

from guide.build import GUIDE, build

if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else GUIDE)
