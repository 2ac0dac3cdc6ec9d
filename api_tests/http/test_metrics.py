import re

import httpx

from api_tests.support.server import wait_for

LINE = re.compile(r'^trainyard_loop_(turns|errors)_total\{loop="([a-z-]+)"\} ([0-9.]+)$')


def test_every_loop_of_the_server_counts_its_turns_and_errors(http: httpx.Client) -> None:
    wait_for(
        lambda: all(counts(http)["turns", loop] > 0 for loop in ("reaper", "gc", "pruner")),
        "a turn of each loop",
    )
    found = counts(http)
    loops = {"reaper", "gc", "pruner", "compactor", "server-heartbeat"}
    loops |= {"sample-writer", "sample-mover"}
    assert set(found) == {(kind, loop) for kind in ("turns", "errors") for loop in loops}
    assert {value for (kind, _), value in found.items() if kind == "errors"} == {0.0}


def test_the_counts_go_on(http: httpx.Client) -> None:
    before = counts(http)["turns", "reaper"]
    wait_for(lambda: counts(http)["turns", "reaper"] > before, "another turn of the reaper")


def test_metrics_are_in_prometheus_text_form(http: httpx.Client) -> None:
    answer = http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE trainyard_loop_turns_total counter" in answer.text
    assert "# TYPE trainyard_loop_errors_total counter" in answer.text


def counts(http: httpx.Client) -> dict[tuple[str, str], float]:
    """By kind and loop how many there were."""
    lines = [LINE.match(line) for line in http.get("/metrics").text.splitlines()]
    return {(line[1], line[2]): float(line[3]) for line in lines if line}
