"""The processes that the agent starts for Ray, so that Ray is never loaded in the agent.

`python -m workers.launcher.ray.driver nodes ADDRESS` tells of the nodes again and again, `hosts
REQUEST` starts host processes and relays their lines, `sweep REQUEST` ends what is left of them.
Each but the last ends when its input does, for then the agent has gone.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from threading import Lock, Thread
from typing import Any, NoReturn

import ray
from ray.exceptions import RayError
from ray.util.placement_group import PlacementGroup, placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from workers.launcher.ray.host_actor import HostActor
from workers.launcher.ray.messages import (
    MARK,
    HostsReport,
    HostsRequest,
    Node,
    NodesReport,
    SweepRequest,
    aged,
    mark_of,
    sent,
)
from workers.launcher.ray.session import (
    CannotConnect,
    are_swept,
    connect,
    is_swept,
    nodes_of_cluster,
)
from workers.launcher.wide.messages import KILL

NUMBER = "TRAINYARD_HOST_NUMBER"
_LOOK_SECONDS = 5.0
_ROOM_SECONDS = 60.0
_PASSED_ON = ("OMP_", "MKL_", "NCCL_", "GLOO_", "TORCH", "PYTORCH_", "PYTHON", "OTEL_")
_ALONE = "no such node is in the cluster any more"
_NO_ROOM = f"Ray gave it no room within {_ROOM_SECONDS:g} s: other work of the cluster has it"
_output = Lock()


def main(arguments: list[str]) -> int:
    """The exit status; of `sweep` 0 if it is sure that nothing is left."""
    what, text = arguments
    if what == "nodes":
        return _tell_nodes(text)
    if what == "sweep":
        request = SweepRequest.model_validate_json(text)
        connect(request.address)
        return 0 if are_swept(request.nodes, request.mark) else 1
    return Hosts(HostsRequest.model_validate_json(text)).run()


def _tell_nodes(address: str) -> int:
    _in_background(lambda: _end_after_input(lambda _: None))
    try:
        connect(address)
    except CannotConnect as error:
        _say(NodesReport(problem=str(error)))
        return 1
    while True:
        _say(NodesReport(nodes=tuple(nodes_of_cluster())))
        time.sleep(_LOOK_SECONDS)


class Hosts:
    """The host processes of one attempt, one on each node."""

    def __init__(self, request: HostsRequest) -> None:
        self._request = request
        self._actors: list[Any] = []
        self._waiting: list[str] = []
        self._sending = Lock()
        self._is_open = False

    def run(self) -> int:
        """Start them, and relay their lines until they have ended."""
        _in_background(lambda: _end_after_input(self._send))
        names = self._request.names
        try:
            connect(self._request.address)
        except CannotConnect as error:
            for number in range(len(names)):
                _say(HostsReport(gone=number, how=str(error)))
            return 1
        known = {node.name: node for node in nodes_of_cluster()}
        missing = [name for name in names if name not in known]
        if missing:
            self._give_up({name: _ALONE for name in missing})
            return 1
        nodes = [known[name] for name in names]
        group = _group(nodes)
        if not group.wait(_ROOM_SECONDS):
            self._give_up(dict.fromkeys(names, _NO_ROOM))
            return 1
        _say(HostsReport(nodes=tuple(node.id for node in nodes)))
        self._start(group, nodes)
        followers = [
            _in_background(partial(self._follow, number, node)) for number, node in enumerate(nodes)
        ]
        self._open()
        for follower in followers:
            follower.join()
        return 0

    def _give_up(self, reasons: dict[str, str]) -> None:
        # Those without a reason have not been started either.
        for number, name in enumerate(self._request.names):
            _say(HostsReport(gone=number, how=reasons.get(name, "it was not started")))

    def _start(self, group: PlacementGroup, nodes: list[Node]) -> None:
        # Its types know no groups: lines go in and out in their order, beside each other.
        groups: Any = {"concurrency_groups": {"read": 1, "send": 1}}
        host: Any = ray.remote(**groups)(HostActor)
        for number, node in enumerate(nodes):
            place = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=number)
            self._actors.append(
                host.options(
                    num_cpus=node.cpus,
                    num_gpus=node.gpus,
                    max_restarts=0,
                    max_task_retries=0,
                    scheduling_strategy=place,
                ).remote()
            )

    def _follow(self, number: int, node: Node) -> None:
        actor, mark = self._actors[number], self._request.mark
        own = {NUMBER: str(number), MARK: mark_of(mark, number)}
        try:
            ray.get(actor.start.remote(self._request.command, _passed_on() | own))
            read = actor.read.options(concurrency_group="read")
            while lines := ray.get(read.remote()):
                for line in lines:
                    _say(HostsReport(line=line))
            if how := ray.get(actor.ended.remote()):
                _say(HostsReport(gone=number, how=how))
        except RayError as error:
            # That Ray has lost it is no proof of its end.
            how = " ".join(str(getattr(error, "cause", None) or error).split())[:200]
            if is_swept(node.id, mark, number):
                _say(HostsReport(gone=number, how=f"its process of Ray was lost: {how}"))
            else:
                self._send(sent(KILL))

    def _open(self) -> None:
        with self._sending:
            self._is_open = True
            for line in self._waiting:
                self._pass_on(line)

    def _send(self, line: str) -> None:
        with self._sending:
            if self._is_open:
                self._pass_on(line)
            else:
                self._waiting.append(line)

    def _pass_on(self, line: str) -> None:
        text = aged(line)
        for actor in self._actors:
            actor.send.options(concurrency_group="send").remote(text)


def _group(nodes: list[Node]) -> PlacementGroup:
    """All or nothing: each node as a whole, since an attempt has its hosts to itself."""
    resources = [{"CPU": node.cpus, "GPU": float(node.gpus)} for node in nodes]
    group: PlacementGroup = placement_group(
        [{name: count for name, count in each.items() if count} for each in resources],
        strategy="STRICT_SPREAD",
        bundle_label_selector=[{"ray.io/node-id": node.id} for node in nodes],
    )
    return group


def _passed_on() -> dict[str, str]:
    """What of the worker's environment holds for the ranks on every node, too."""
    return {name: text for name, text in os.environ.items() if name.startswith(_PASSED_ON)}


def _in_background(work: Callable[[], None]) -> Thread:
    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread


def _end_after_input(take: Callable[[str], None]) -> NoReturn:
    for line in sys.stdin:
        take(line.strip())
    # At once: Ray then ends the actors, and with their pipes the host processes.
    os._exit(0)


def _say(report: NodesReport | HostsReport) -> None:
    with _output:
        sys.stdout.write(f"{report.text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    # Threads that still read must not hold this process up.
    os._exit(status)
