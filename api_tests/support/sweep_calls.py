"""Sweeps on a real server, whose trainings one fake worker takes."""

from collections.abc import Mapping
from typing import Any

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.server import wait_for


def a_sweep(
    agent: FakeAgent, rates: tuple[float, ...] = (0.5, 0.25), **more: Any
) -> dict[str, Any]:
    """A grid of learning rates on the digits; nobody but the agent can take its trainings."""
    return {
        "job": agent.spec(params={"batch_size": 32, "total_iters": 10}),
        "parameters": {"learning_rate": {"values": list(rates)}},
        "method": {"kind": "grid"},
        **more,
    }


def run_trials(agent: FakeAgent, error_of_rate: Mapping[float, float | None]) -> None:
    """Take as many trainings as there are rates: each measures the error of its rate, publishes a
    checkpoint and succeeds, or fails without an error."""
    for _ in error_of_rate:
        claim = _claimed(agent)
        job = agent.http.get(f"/jobs/{claim['job_id']}").json()
        error = error_of_rate[job["spec"]["params"]["learning_rate"]]
        if error is None:
            agent.report(claim, "failed", "invalid_data").raise_for_status()
            continue
        metrics = {"top1_error": error}
        manifest = a_manifest(job["id"], 10, attempt=claim["attempt"], metrics=metrics)
        measured = ("metrics", {"step": 10, "metrics": metrics})
        agent.beat(claim, measured, ("checkpoint", published_body(manifest)))
        agent.report(claim).raise_for_status()


def _claimed(agent: FakeAgent) -> dict[str, Any]:
    claims: list[dict[str, Any]] = []

    def is_claimed() -> bool:
        answer = agent.ask()
        if answer.status_code == 200:
            claims.append(answer.json())
        return bool(claims)

    wait_for(is_claimed, "a training of the sweep")
    agent.beat(claims[0])
    return claims[0]
