"""Rows that nothing needs any more are removed by a loop, in short transactions."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, insert, select

from api_tests.background.conftest import Clock
from api_tests.store.test_attempts import add as add_attempt
from api_tests.store.test_jobs import add as add_job
from service.background import pruner
from service.background.pruner import pruner_loop
from service.contract.agent import ProcessIdentity, Registration
from service.context import AppContext
from service.store import history, idempotency, workers
from service.store.engine import Database
from service.store.tables import events, idempotency_keys, metrics, server_heartbeats

KERNEL = ProcessIdentity(boot_id="boot", pid_namespace="pid:[1]", pid=7, started_ticks=99)
PAUSE_SECONDS = 600.0
