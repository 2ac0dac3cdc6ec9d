"""Jobs of a test that are shown in a fake MLflow."""

from typing import Any

from sqlalchemy import select, update

from api_tests.support.fake_mlflow import FakeMlflow
from api_tests.support.rows import ensure_job
from api_tests.support.server_context import Clock
from service.control.mlflow.mirror import Mirror
from service.control.mlflow.rest_api import MlflowApi
from service.store import series
from service.store.engine import Database
from service.store.mlflow_tables import mlflow_runs
from service.store.tables import jobs

JOB = "job_1"
TIME = "@time"


class MirroredJobs:
    """A database with jobs, an MLflow that shows them, and the mirror between the two."""

    def __init__(self, database: Database, mlflow: FakeMlflow) -> None:
        self.database, self.mlflow, self.clock = database, mlflow, Clock()
        self._api = MlflowApi(mlflow.url, "s3cret")
        self.mirror = self.another(self._api)

    def another(self, api: MlflowApi) -> Mirror:
        """The mirror of another server over the same database."""
        return Mirror(
            self.database,
            api,
            experiment="shufflenets",
            public_url="https://train.example/yard",
            first_wait_seconds=10,
            now=lambda: self.clock.now,
        )

    def change(self, job_id: str = JOB, **values: Any) -> None:
        """A job that has begun, with these columns; its version rises."""
        begun = {"started_at": self.clock.now, "version": jobs.c.version + 1, "state": "running"}
        with self.database.write() as tx:
            ensure_job(tx, job_id)
            tx.execute(update(jobs).where(jobs.c.id == job_id).values(**(begun | values)))

    def measure(self, job_id: str = JOB, **points: dict[int, float]) -> None:
        """What a job has measured: by name of the metric the values by step."""
        named = [(name, step, value) for name, of in points.items() for step, value in of.items()]
        with self.database.write() as tx:
            series.add(tx, job_id, [(TIME if n == "time" else n, s, v) for n, s, v in named])
            tx.execute(update(jobs).where(jobs.c.id == job_id).values(version=jobs.c.version + 1))

    def update(self) -> None:
        """Have the mirror show everything."""
        update_all(self.mirror)

    @property
    def row(self) -> Any:
        """What the database has of the only run."""
        with self.database.read() as tx:
            return tx.execute(select(mlflow_runs)).one()

    def close(self) -> None:
        """Close the connections to MLflow."""
        self._api.close()


def update_all(mirror: Mirror) -> None:
    """Have a mirror show everything."""
    while mirror.add_jobs(newest_only=False):
        pass
    while mirror.update_next():
        pass
