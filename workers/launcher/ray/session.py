"""The connection of this process to a Ray cluster, and what is asked of its nodes."""

import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import AuthenticationError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from workers.launcher.ray.host_actor import end_marked
from workers.launcher.ray.messages import Node, mark_of, unique_names

_ANSWER_SECONDS = 5.0
_SWEEP_SECONDS = 60.0


class CannotConnect(Exception):
    """The cluster cannot be used; the message says what to change."""


def connect(address: str) -> None:
    """Connect this process to the cluster at `HOST:PORT`, until it ends. Raises CannotConnect."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_SECONDS).close()
    except OSError as error:
        raise CannotConnect(
            f"nothing answers at {address} ({error.strerror or error}): see that the head of the "
            "cluster runs, and name its host and port, 6379 unless `ray start` was told another"
        ) from error
    errors: list[str] = []
    try:
        with _own_errors(errors):
            ray.init(
                address=address,
                namespace="trainyard",
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except AuthenticationError as error:
        raise CannotConnect(
            "there is no token for the cluster: set RAY_AUTH_TOKEN_PATH to the file that has it, "
            "or RAY_AUTH_TOKEN; RAY_AUTH_MODE=disabled is for a cluster without tokens"
        ) from error
    except Exception as error:
        raise CannotConnect(_problem(address, error, "".join(errors))) from error


def _problem(address: str, error: Exception, log: str) -> str:
    text = " ".join(str(error).split())
    if "Unauthenticated" in log or "Unauthenticated" in text:
        return (
            f"the cluster at {address} refuses the token: give the worker that of the cluster, "
            "in the file that RAY_AUTH_TOKEN_PATH names, or in RAY_AUTH_TOKEN"
        )
    if "Version mismatch" in text:
        return (
            f"the cluster at {address} has another Ray or Python: {text}: install the cluster's "
            "versions in the worker's environment"
        )
    return (
        f"the cluster at {address} cannot be used: {text}: see that a node of it runs on the "
        f"worker's own host, as by `ray start --address={address} --num-cpus=0`"
    )


@contextmanager
def _own_errors(lines: list[str]) -> Iterator[None]:
    # Ray says in its log alone that a token is wrong.
    sys.stderr.flush()
    usual = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(usual, 2)
            os.close(usual)
            log.seek(0)
            text = log.read().decode(errors="replace")
            lines.append(text)
            sys.stderr.write(text)


def nodes_of_cluster() -> list[Node]:
    """The living nodes with a CPU or a GPU, in the order of their addresses and names."""
    rows: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    living = [each for each in rows if each["Alive"]]
    names = unique_names(
        [each["NodeName"] or each["NodeManagerHostname"] for each in living],
        [each["NodeID"] for each in living],
    )
    nodes = [_node(name, each) for name, each in zip(names, living, strict=True)]
    able = [node for node in nodes if node.cpus >= 1 or node.gpus]
    return sorted(able, key=lambda node: (node.address, node.name))


def _node(name: str, row: Mapping[str, Any]) -> Node:
    resources = row["Resources"]
    return Node(
        id=row["NodeID"],
        name=name,
        address=row["NodeManagerAddress"],
        cpus=resources.get("CPU", 0.0),
        gpus=int(resources.get("GPU", 0)),
        gpu_model=next((name for name in map(_gpu_model, resources) if name), ""),
    )


def _gpu_model(resource: str) -> str:
    """The model that a resource of a node names, as `accelerator_type:H100` does."""
    kind, _, model = resource.partition(":")
    return model if kind == "accelerator_type" else ""


def is_swept(node_id: str, mark: str, number: int) -> bool:
    """Whether host `number` has no process with this mark any more, those left being killed.

    False, too, where the node cannot be asked.
    """
    sweep = ray.remote(num_cpus=0, max_retries=0)(end_marked)
    there = NodeAffinitySchedulingStrategy(node_id, soft=False)
    answer = sweep.options(scheduling_strategy=there).remote(mark_of(mark, number))
    try:
        is_done: bool = ray.get(answer, timeout=_SWEEP_SECONDS)
    except RayError:
        return False
    return is_done


def are_swept(nodes: Sequence[str], mark: str) -> bool:
    """Whether no host of this mark has a process any more, those left being killed."""
    return all([is_swept(node, mark, number) for number, node in enumerate(nodes)])
