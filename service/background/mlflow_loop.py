"""The loop that shows jobs in MLflow, where the settings name a server of it."""

from itertools import count

import structlog

from service.context import AppContext
from service.contract.loop import Loop
from service.control.mlflow.mirror import Mirror
from service.control.mlflow.rest_api import MlflowApi, MlflowAway, MlflowRefused
from service.store import mlflow_runs
from service.store.outages import DATABASE_OUTAGES

_EVERY_JOB = 30
"""After so many turns all jobs are looked through, and not the newest alone."""
_LONGEST_PAUSE_SECONDS = 300.0
_log = structlog.get_logger()


class MlflowLoop:
    """Brings runs up to date; while MLflow does not answer it is asked ever less often."""

    def __init__(self, context: AppContext, uri: str) -> None:
        settings = context.settings
        token = settings.mlflow_token
        api = MlflowApi(uri, token.get_secret_value() if token is not None else None)
        self._mirror = Mirror(
            context.database,
            api,
            experiment=settings.mlflow_experiment,
            public_url=settings.public_url,
            first_wait_seconds=settings.mlflow_seconds,
            now=context.now,
        )
        self._context, self._turns, self._misses = context, count(), 0
        self.loop = Loop(
            "mlflow", settings.mlflow_seconds, self._turn, log=_log, outages=DATABASE_OUTAGES
        )

    def recover(self) -> None:
        """Before the start: what a server was sending that was killed is sent again.

        With PostgreSQL another server may be sending it: there the lease has to run out.
        """
        if self._context.database.is_sqlite:
            with self._context.database.write() as tx:
                mlflow_runs.end_leases(tx)

    def _turn(self) -> float | None:
        newest_only = next(self._turns) % _EVERY_JOB != 0
        while self._mirror.add_jobs(newest_only=newest_only) and not self.loop.is_stopped():
            pass
        try:
            while not self.loop.is_stopped() and self._updates_one():
                pass
        except MlflowAway as error:
            self._misses += 1
            # The first, and then ever fewer: an outage may last a night.
            if self._misses.bit_count() == 1:
                _log.warning("mlflow_away", in_a_row=self._misses, error=str(error))
            doublings = min(self._misses, 16)
            pause = float(self._context.settings.mlflow_seconds * (1 << doublings))
            return min(pause, _LONGEST_PAUSE_SECONDS)
        if self._misses:
            _log.info("mlflow_is_back", after=self._misses)
        self._misses = 0
        return None

    def _updates_one(self) -> bool:
        try:
            return self._mirror.update_next()
        except MlflowRefused as error:
            _log.warning("mlflow_refused", error=str(error))
            return True
