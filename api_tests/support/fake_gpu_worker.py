"""`python -m api_tests.support.fake_gpu_worker`: a worker whose ranks train on the CPU.

Its GPUs are those of a fake driver.
"""

import sys

from pydantic_settings import CliApp

from workers import main
from workers.settings import WorkerSettings

if __name__ == "__main__":
    settings = CliApp.run(WorkerSettings)
    sys.exit(main.work(settings, "api_tests.support.torch_ranks:trains_on_the_cpu"))
