"""A search by three workers over the use cases: its attempts, its parts, its loop's turns."""

from collections.abc import Iterator
from typing import Any

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.searches import (
    a_candidate,
    a_search,
    a_supernet,
    blocks_of,
    found,
    submitted,
)
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import Claim, ReportedEvent
from service.contract.bulk import BulkRequest
from service.contract.candidates import Candidate
from service.contract.changes import JobEdit
from service.contract.jobs import Job, JobState
from service.contract.specs import SearchSpec
from service.control.jobs import bulk, edits, search_turn, searches, views
from service.control.jobs.bulk_call import BulkCall
from service.store import search_parts

POPULATION = 6
PARAMS = {"generations": 2, "population": POPULATION, "workers": 3}
ORIGINS = ("random", "mutation", "crossover")


def states(jobs: list[Job]) -> list[JobState]:
    """Of each."""
    return [job.state for job in jobs]


def wanted(seq: int, *orders: int) -> ReportedEvent:
    """The event by which a search has others measure the candidates of these orders."""
    candidates = [
        {
            "blocks": blocks_of(order),
            "order": order,
            "generation": order // POPULATION + 1,
            "origin": ORIGINS[order % 3],
        }
        for order in orders
    ]
    return an_event(seq, "wanted", candidates=candidates)


def measured(order: int) -> dict[str, Any]:
    """The candidate as the search has it."""
    return a_candidate(order, generation=order // POPULATION + 1, origin=ORIGINS[order % 3])


def given(claim: Claim) -> list[dict[str, Any]]:
    """The candidates of a part as its worker tells of them."""
    orders = {blocks_of(order): order for order in range(50)}
    spec = claim.spec
    assert isinstance(spec, SearchSpec)
    return [
        a_candidate(orders[blocks]) | {"order": number, "generation": 0, "origin": "given"}
        for number, blocks in enumerate(spec.params.candidates or ())
    ]


class SearchingYard:
    """A search of three workers, and the agents that run it."""

    def __init__(self, control_plane: ControlPlane, agent: Agent, **fields: Any) -> None:
        self.control_plane, self.agent = control_plane, agent
        supernet = a_supernet(control_plane, agent)
        params = PARAMS | fields.pop("params", {})
        self.part_ids: Iterator[str] = iter(control_plane.new_job_id, "")
        self.search = submitted(control_plane, a_search(supernet, params=params, **fields))

    def wants(self, *orders: int) -> Claim:
        """An attempt of the search asks for these and is given back."""
        claim = self.agent.claimed()
        assert claim.job_id == self.search.id
        message = "waits for the measurements"
        self.agent.beat(claim, wanted(1, *orders))
        self.agent.report(claim, "released", "released", message=message)
        return claim

    def turn(self) -> bool:
        """What the loop does; whether there was anything to do."""
        with self.control_plane.database.read() as tx:
            ids = search_parts.searches(tx)
            due = [each for each in ids if search_turn.is_due(tx, each)]
        for search_id in due:
            with self.control_plane.write() as tx:
                now = self.control_plane.now
                search_turn.take(tx, search_id, new_id=self._new_id, now=now)
        return bool(due)

    def _new_id(self, _: str) -> str:
        return next(self.part_ids)

    @property
    def job(self) -> Job:
        """The search as it is now."""
        return self.control_plane.job(self.search)

    def state_of(self, job_id: str) -> JobState:
        """The state of the search, or of a part."""
        with self.control_plane.database.read() as tx:
            return views.get(tx, job_id).state

    def parts(self) -> list[Job]:
        """The jobs that it waits for, or has waited for last."""
        with self.control_plane.database.read() as tx:
            states = search_parts.states_of(tx, self.search.id)
            return [views.get(tx, each.job_id) for each in states if each.job_id is not None]

    def table(self) -> list[Candidate]:
        """What it has measured, in its order."""
        with self.control_plane.database.read() as tx:
            return searches.page(tx, self.search.id, "order", None, 100)[0]

    def measure(self, claim: Claim) -> None:
        """A worker measures all of a part, and ends it."""
        self.agent.beat(claim, found(1, *given(claim)))
        self.agent.report(claim)


def edit(yard: SearchingYard, by: str, **fields: Any) -> None:
    """Edit a yard's search by its own call or by one for many jobs, which merges labels."""
    control_plane, search_id = yard.control_plane, yard.search.id
    if by == "call":
        with control_plane.write() as tx:
            change = JobEdit.model_validate(fields)
            edits.edit(tx, search_id, change, versions=None, now=control_plane.now)
        return
    (name,) = fields
    action = {"labels": "label", "priority": "priority"}[name]
    request = BulkRequest.model_validate({"action": action, "ids": [search_id], **fields})
    bulk.carry_out(
        control_plane.database,
        BulkCall(request, None, control_plane.now, control_plane.new_job_id),
    )
