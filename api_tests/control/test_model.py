"""Whatever users, agents and clocks do in any order, every promise is kept."""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from api_tests.support.protocol.machine import Protocol
from service.store.engine import Database

# The same runs each time in the suite; TRAINYARD_MODEL_RUNS=2000 looks for new ones.
RUNS = int(os.environ.get("TRAINYARD_MODEL_RUNS", "0"))
SETTINGS = settings(
    max_examples=RUNS or 20,
    stateful_step_count=40,
    derandomize=RUNS == 0,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def test_every_promise_is_kept_whatever_happens_in_whatever_order(database: Database) -> None:
    class OnThis(Protocol):
        pass

    OnThis.database = database
    run_state_machine_as_test(OnThis, settings=SETTINGS)
