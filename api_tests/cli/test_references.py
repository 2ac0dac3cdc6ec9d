"""Jobs, checkpoints and workers by a beginning of their id, a name, or `@last`."""

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.runs import Run as Training
from api_tests.support.server import Server

Run = Callable[..., Result]


@pytest.mark.parametrize("of", ["beginning", "beginning without type", "name", "@last", "lower"])
def test_a_job_is_named_by_what_only_it_has(run: Run, agent: FakeAgent, of: str) -> None:
    job_id = str(agent.submit(name=f"the only one {agent.id}")["id"])
    references = {
        "beginning": job_id[:-2],
        "beginning without type": job_id[4:-2],
        "name": f"the only one {agent.id}",
        "@last": "@last",
        "lower": job_id[:-2].lower(),
    }
    assert run("job", references[of]).stdout.split()[1] == job_id


def test_an_ambiguous_name_is_refused_with_its_candidates(run: Run, agent: FakeAgent) -> None:
    name = f"twice {agent.id}"
    ids = [str(agent.submit(name=name)["id"]) for _ in range(2)]
    refused = run("cancel", name)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"trainyard: {name!r} means more than one job")
    assert [job_id for job_id in ids if job_id in refused.stderr] == ids


@pytest.mark.parametrize(
    "args",
    [
        ("job", "nothing of this name"),
        ("checkpoints", "download", "nothing-tagged-so"),
        ("drain", "no-such-host"),
        ("job", "job_7ZZ"),
        ("drain", "wrk_0"),
        ("checkpoints", "download", "ckpt_0"),
    ],
)
def test_what_nothing_is_named_by_is_not_found(run: Run, args: Any) -> None:
    refused = run(*args)
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert "there is no " in refused.stderr


def test_a_whole_name_goes_before_the_beginning_of_an_id(run: Run, agent: FakeAgent) -> None:
    first = str(agent.submit()["id"])
    named = str(agent.submit(name=first[:-2])["id"])
    assert run("job", first[:-2]).stdout.split()[1] == named


@pytest.mark.parametrize("of", ["beginning", "tag", "@last"])
def test_a_checkpoint_is_named_by_what_only_it_has(
    run: Run, server: Server, agent: FakeAgent, of: str
) -> None:
    training = Training(server, agent)
    training.save(1, 0.5)
    whole, tag = training.id_of(1), f"only-{agent.id}"
    agent.http.patch(f"/checkpoints/{whole}", json={"tags": [tag]}).raise_for_status()
    reference = {"beginning": whole[:-2], "tag": tag, "@last": "@last"}[of]
    if of == "@last":
        # Of two that were saved at one moment either is the newest.
        whole = run("checkpoints", "latest").stdout.strip()
    assert run("checkpoints", "verify", reference).stdout == f"{whole}: whole\n"


def test_a_worker_is_named_by_its_host(run: Run, agent: FakeAgent) -> None:
    agent.put(host=f"host-of-{agent.id}").raise_for_status()
    assert run("drain", f"host-of-{agent.id}").stdout == "draining\n"
    assert agent.http.get(f"/workers/{agent.id}").json()["state"] == "draining"
