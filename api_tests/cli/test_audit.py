"""`trainyard audit`: who has changed what, on a terminal and for programs."""

import json

from typer.testing import CliRunner, Result

from api_tests.support.access import bearer, make_token
from api_tests.support.context_server import context, server
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer
from service.cli import app
from service.context import AppContext
from service.contract.access import Role

__all__ = ["context", "server"]


def _audit(server: ThreadedServer, secret: str, *arguments: str) -> Result:
    variables = {"TRAINYARD_SERVER": server.url, "TRAINYARD_TOKEN": secret}
    return CliRunner(env=variables).invoke(app, ["audit", *arguments])


def test_an_admin_lists_narrows_and_cuts_the_list_and_others_are_told_why_not(
    context: AppContext, server: ThreadedServer
) -> None:
    ann = make_token(context, "ann", Role.ADMIN).secret
    bob = make_token(context, "bob", Role.USER).secret
    job = server.http.post("/jobs", json=SPEC, headers=bearer(bob)).json()["id"]
    server.http.post(f"/jobs/{job}/cancel", json={"mode": "now"}, headers=bearer(ann))
    head, cancel, submit = _audit(server, ann).stdout.splitlines()
    titles = " ".join(head.split())
    assert titles == "TIME ACTOR ROLE ACTION SUBJECT DETAIL ADDRESS REQUEST"
    for text in ("ann", "admin", "job.cancel", job, "now", "127.0.0.1", "req_"):
        assert text in cancel
    assert "bob" in submit
    narrowed = {
        ("--actor", "bob"): ["job.submit"],
        ("--action", "job.cancel"): ["job.cancel"],
        ("--action", "job"): ["job.cancel", "job.submit"],
        ("--subject", job, "--limit", "1"): ["job.cancel"],
        ("--since", "2026-01-02"): [],
        ("--until", "2026-01-01T00:00:00Z"): [],
    }
    for arguments, actions in narrowed.items():
        lines = _audit(server, ann, "--json", *arguments).stdout.splitlines()
        assert [json.loads(line)["action"] for line in lines] == actions, arguments
    refused = _audit(server, bob)
    assert (refused.exit_code, "needs the role admin" in refused.stderr) == (3, True)
    unclear = _audit(server, ann, "--since", "yesterday")
    assert (unclear.exit_code, "since" in unclear.stderr) == (3, True)
