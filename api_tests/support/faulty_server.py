"""The server with a fault: see faults.py; TRAINYARD_FAULT says which."""

import os
import sys

from api_tests.support.faults import inject
from service import main

if __name__ == "__main__":
    inject(os.environ["TRAINYARD_FAULT"])
    sys.exit(main.main())
