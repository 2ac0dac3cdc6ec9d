"""A job as an object: its fields are those of the API, its verbs change it."""

from datetime import UTC, datetime

import pytest

from api_tests.support.fake_rest_server import SPEC, FakeRestServer, a_checkpoint, a_job, problem
from service.client import Client, Job, NotFound, StillRunning
from service.contract import jobs as contract
from service.contract.jobs import Event, JobState

FAST = {"poll_seconds": 0.01}


@pytest.fixture
def job(fake: FakeRestServer, client: Client) -> Job:
    fake.jobs = [a_job(1, name="mine")]
    return client.job("job_0001")


def test_a_job_has_every_field_of_the_api(job: Job) -> None:
    assert isinstance(job, contract.Job)
    assert job.model_dump() == a_job(1, name="mine").model_dump()


def test_a_submission_takes_its_fields_as_keywords(fake: FakeRestServer, client: Client) -> None:
    job = client.submit(recipe="oneshot", data={"dataset": "digits"}, name="by keywords")
    assert (job.state, job.name) == (JobState.QUEUED, "by keywords")
    more = client.submit(SPEC, name="with a name")
    assert more.name == "with a name"
    assert len(fake.jobs) == 2


def test_a_verb_brings_the_job_up_to_date_and_returns_it(job: Job) -> None:
    assert job.cancel("now") is job
    assert job.state == JobState.CANCELLED


def test_waiting_brings_the_job_up_to_date(fake: FakeRestServer, job: Job) -> None:
    def end_once_polled() -> None:
        if len(fake.statuses("/jobs/job_0001")) > 2:
            fake.jobs = [a_job(1, state="succeeded")]

    fake.on_request = end_once_polled
    seen: list[str] = []
    assert job.wait(on_change=lambda each: seen.append(each.state), **FAST) is job
    assert job.state == JobState.SUCCEEDED
    assert seen == ["running", "succeeded"]


def test_refreshing_reads_the_job_again(fake: FakeRestServer, job: Job) -> None:
    fake.jobs = [a_job(1, state="paused", metrics={"loss": 0.25})]
    assert job.refresh().state == JobState.PAUSED
    assert job.metrics == {"loss": 0.25}


def test_the_time_given_to_wait_ends_it_and_not_the_job(fake: FakeRestServer, job: Job) -> None:
    with pytest.raises(StillRunning, match="it goes on"):
        job.wait(0.03, **FAST)
    assert {method for method, *_ in fake.requests} == {"GET"}


def test_an_interrupted_wait_leaves_the_job_running(fake: FakeRestServer, job: Job) -> None:
    def interrupt(_: contract.Job) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job.wait(on_change=interrupt, **FAST)
    assert {method for method, *_ in fake.requests} == {"GET"}
    assert job.refresh().state == JobState.RUNNING


def test_metrics_are_the_last_values_and_called_the_series(fake: FakeRestServer, job: Job) -> None:
    fake.series = {"loss": [(10, 1.5), (20, 0.5)], "top1_error": [(20, 0.25)]}
    assert job.metrics["loss"] == 0.5321
    assert job.metrics() == fake.series
    assert job.metrics(["loss"]) == {"loss": [(10, 1.5), (20, 0.5)]}


def test_the_log_is_read_in_parts_and_printed_whole(fake: FakeRestServer, job: Job) -> None:
    fake.log = "one\ntwo\nthree\n"
    assert list(job.logs()) == ["one\ntwo\n", "three\n"]
    assert str(job.logs()) == fake.log


def test_the_log_is_followed_to_the_jobs_end(fake: FakeRestServer, job: Job) -> None:
    fake.jobs, fake.attempt_logs = [a_job(1, state="succeeded")], {1: "all of it\n"}
    assert "".join(job.logs(follow=True)) == "all of it\n"


@pytest.mark.parametrize("events_each_connection", [100, 2])
def test_events_are_streamed_each_once_over_broken_connections(
    fake: FakeRestServer,
    job: Job,
    events_each_connection: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.client.calls.streams._RECONNECT_SECONDS", 0.01)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    fake.events = [
        Event(number=number, job_id="job_0001", kind="note", message="schön\n", created_at=at)
        for number in range(1, 6)
    ]
    fake.events_each_connection = events_each_connection
    assert list(job.stream()) == fake.events
    assert list(job.stream(after=3)) == fake.events[3:]


def test_the_best_checkpoint_is_that_of_the_retentions_metric(
    fake: FakeRestServer, client: Client
) -> None:
    job = client.submit(SPEC, retention={"metric": "loss"})
    measured = ({"loss": 0.5, "top1_error": 0.1}, {"loss": 0.4, "top1_error": 0.2})
    fake.checkpoints = [
        a_checkpoint(number, b"").model_copy(update={"job_id": job.id, "metrics": metrics})
        for number, metrics in enumerate(measured, start=1)
    ]
    assert job.best.id == "ckpt_0002"
    assert [each.id for each in job.checkpoints] == ["ckpt_0001", "ckpt_0002"]
    assert job.latest.id == "ckpt_0001"


def test_a_job_without_a_checkpoint_says_so(job: Job) -> None:
    with pytest.raises(NotFound, match="none has been measured"):
        _ = job.best


def test_a_refusal_leaves_the_object_as_it_was(fake: FakeRestServer, job: Job) -> None:
    fake.instead = [problem(409, "wrong_state", "it has ended")]
    with pytest.raises(Exception, match="it has ended"):
        job.cancel()
    assert job.state == JobState.RUNNING
