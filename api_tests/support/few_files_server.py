"""The server with 80 file descriptors, of which it needs some thirty itself."""

import resource
import sys

from service.main import main

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))
    sys.exit(main())
