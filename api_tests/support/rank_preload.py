"""All that the ranks of tests are forked with, frozen as by the warm process of a worker."""

import gc
import importlib

gc.disable()
for _name in ("workers.runs.preloaded", "api_tests.support.attempts"):
    importlib.import_module(_name)
gc.freeze()
gc.enable()
