"""A job with a range of GPUs between versions: older workers and servers, and rows of both."""

from collections.abc import Callable

from api_tests.support.control_agent import Agent, gpus
from api_tests.support.rows_of_versions import rewrite
from api_tests.support.use_cases import ControlPlane
from service.domain.offers import JobNeeds
from service.store import attempts
from service.store.job_needs import column_of_needs, needs_of_column
from service.store.tables import attempts as attempts_table
from service.store.tables import jobs as jobs_table

NewAgent = Callable[..., Agent]
SPAN = {"gpus": {"min": 2, "max": 8}}


def test_a_worker_is_sent_one_number_as_every_version_knows_it(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    # This one has no catalog, as those of the first version.
    agent = new_agent(gpus=gpus(8))
    control_plane.submit(resources=SPAN)
    claim = agent.claimed(free_gpus=8)
    assert claim.model_dump(mode="json")["spec"]["resources"] == {"gpus": 8, "labels": {}}


def test_a_server_that_knows_no_ranges_gives_such_a_job_to_nobody(
    control_plane: ControlPlane,
) -> None:
    job = control_plane.submit(resources=SPAN)
    narrow = control_plane.submit(resources={"gpus": {"min": 2, "max": 2}})
    with control_plane.database.read() as tx:
        query = jobs_table.select().where(jobs_table.c.id.in_([job.id, narrow.id]))
        needs = [row.needs for row in tx.execute(query.order_by(jobs_table.c.id))]
    # What it takes for a label, which no worker can have.
    assert ['"@gpus": "2,4,8"' in each for each in needs] == [True, False]
    assert '"@gpus": "2"' in needs[1]


def test_an_attempt_of_a_version_without_ranges_has_the_gpus_of_its_job(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    job, agent = control_plane.submit(resources={"gpus": 2}), new_agent(gpus=gpus(8))
    agent.claimed(free_gpus=8)
    with control_plane.write() as tx:
        tx.execute(attempts_table.update().values(gpu_count=None))
        assert attempts.usage(tx) == {agent.id: (1, 2)}
    [attempt] = control_plane.attempts_of(job)
    assert "gpu_count" not in attempt.model_dump(mode="json")


def test_a_range_with_what_a_newer_version_added_is_read(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    job, agent = control_plane.submit(resources=SPAN), new_agent(gpus=gpus(8))
    spec = control_plane.job(job).spec.model_dump(mode="json")
    spec["resources"]["gpus"]["prefer"] = 4
    rewrite(control_plane, job, spec=spec)
    assert control_plane.job(job).unreadable is None
    assert agent.claimed(free_gpus=8).spec.resources.gpus == 8


def test_needs_are_read_as_they_are_written_and_unknown_counts_are_none() -> None:
    for counts in ((), (4,), (2, 3), (2, 4, 8), tuple(range(1, 1025))):
        needs = JobNeeds(gpus=counts[0] if counts else 1, gpu_counts=counts)
        column = column_of_needs(needs)
        assert needs_of_column(column, needs.gpus) == needs
        assert len(column) < 50
    unknown = needs_of_column('{"@gpus": "some"}', 2)
    assert (unknown.gpus, unknown.gpu_counts, unknown.gpus_within(8)) == (2, (), 2)
