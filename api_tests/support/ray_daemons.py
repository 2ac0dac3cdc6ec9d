"""The program that holds a cluster for RayCluster: `ray.cluster_utils` in a process of its own.

Its arguments are the names of the nodes. A line of its input is a command, and each is answered by
a line of JSON, as is the start. It ends the cluster when its input ends.
"""

import json
import sys
from threading import Thread
from typing import Any

from ray.cluster_utils import Cluster

_NODE = {
    "node_ip_address": "127.0.0.1",
    # Ray takes no less.
    "object_store_memory": 80 * 1024 * 1024,
    "include_dashboard": False,
}


def main() -> None:
    output, sys.stdout = sys.stdout, sys.stderr
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "node_name": "head", **_NODE}
    )
    nodes = {name: _added(cluster, name) for name in sys.argv[1:]}
    cluster.wait_for_nodes()
    _answer(output, {"address": cluster.address})
    for line in sys.stdin:
        name = line.split()[-1]
        what = line.split()[0]
        answer: dict[str, Any] = {}
        if what == "pids":
            answer["pids"] = _pids(nodes[name], "raylet")
        elif what == "nodes":
            answer["names"] = list(nodes)
        elif what == "reap":
            _reap(nodes[name], "raylet")
            cluster.worker_nodes.discard(nodes.pop(name))
        elif what == "add":
            nodes[name] = _added(cluster, name)
        elif what == "add-gpus":
            nodes[name] = _added(cluster, name, num_gpus=2, resources={"accelerator_type:H100": 1})
        elif what == "head":
            answer["pids"] = _pids(cluster.head_node, "gcs_server")
        elif what == "reap-head":
            _reap(cluster.head_node, "gcs_server")
            for node in (cluster.head_node, *nodes.values()):
                # They end by themselves, some time later.
                Thread(target=_reap, args=(node, "raylet"), daemon=True).start()
        _answer(output, answer)
    cluster.shutdown()


def _added(cluster: Cluster, name: str, **resources: Any) -> Any:
    return cluster.add_node(num_cpus=1, node_name=name, **resources, **_NODE)


def _pids(node: Any, kind: str) -> list[int]:
    return [each.process.pid for each in node.all_processes[kind]]


def _reap(node: Any, kind: str) -> None:
    # A zombie looks alive to what Ray has started for it.
    for each in node.all_processes[kind]:
        each.process.wait()


def _answer(output: Any, answer: dict[str, Any]) -> None:
    output.write(json.dumps(answer) + "\n")
    output.flush()


if __name__ == "__main__":
    main()
