"""What Kustomize makes of deploy/kubernetes/ is what a cluster takes, and fits the programs."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from service import __version__
from service.settings import Settings
from workers.settings import WorkerSettings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
RAY = ("overlays/ray", "overlays/postgres-ray")
VARIANTS = ("base", "overlays/postgres", "overlays/gpu", "overlays/postgres-gpu", *RAY)
VERSIONS = ("1.29", "1.37")
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="needs kubectl, whose Kustomize renders the files"
)


@cache
def rendered(variant: str) -> tuple[dict[str, Any], ...]:
    """The objects that `kubectl apply -k` would send."""
    done = subprocess.run(
        ["kubectl", "kustomize", FOLDER / variant], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def pick(variant: str, kind: str, name: str) -> dict[str, Any]:
    """The one object of a kind and a name."""
    found = [o for o in rendered(variant) if (o["kind"], o["metadata"]["name"]) == (kind, name)]
    assert len(found) == 1
    return found[0]


def pods(variant: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The pod of each deployment and of each group of a Ray cluster, by its name."""
    for each in rendered(variant):
        if each["kind"] == "Deployment":
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]
        if each["kind"] == "RayCluster":
            yield "head", each["spec"]["headGroupSpec"]["template"]["spec"]
            for group in each["spec"]["workerGroupSpecs"]:
                yield group["groupName"], group["template"]["spec"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_object_is_of_its_schema(variant: str, version: str) -> None:
    objects = rendered(variant)
    assert len(objects) >= 8
    for _, pod in pods(variant):
        whole = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": pod}
        kubernetes_validate.validate(whole, version, strict=True)
    for each in objects:
        # The schema of a cluster comes with its operator.
        if each["kind"] == "RayCluster":
            continue
        kubernetes_validate.validate(each, version, strict=True)


def test_a_word_that_is_not_in_the_schema_is_refused() -> None:
    """The check is real."""
    deployment = yaml.safe_load(yaml.safe_dump(pick("base", "Deployment", "server")))
    deployment["spec"]["replica"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_image_has_the_tag_of_this_version(variant: str) -> None:
    for _, pod in pods(variant):
        for container in pod["containers"] + pod.get("initContainers", []):
            name, _, tag = container["image"].rpartition(":")
            assert name.startswith("registry.example.org/trainyard-")
            assert tag.partition("-")[0] == __version__


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_namespace_of_the_level_restricted_takes_every_pod(variant: str) -> None:
    for _, pod in pods(variant):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert [each["securityContext"] for each in pod["containers"]] == [RESTRICTED]
        assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_claim_and_secret_that_a_pod_mounts_is_there(variant: str) -> None:
    there = {
        o["metadata"]["name"] for o in rendered(variant) if o["kind"] == "PersistentVolumeClaim"
    }
    claims, secrets = set(), set()
    for _, pod in pods(variant):
        [container] = pod["containers"]
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        assert mounts == {volume["name"] for volume in pod["volumes"]}
        claims |= {
            v["persistentVolumeClaim"]["claimName"]
            for v in pod["volumes"]
            if "persistentVolumeClaim" in v
        }
        secrets |= {v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v}
    assert claims == there
    assert secrets == ({"trainyard", "ray-token"} if variant in RAY else {"trainyard"})


def test_sqlite_has_one_server_at_a_time_and_postgresql_several() -> None:
    sqlite = pick("base", "Deployment", "server")["spec"]
    assert (sqlite["replicas"], sqlite["strategy"]) == (1, {"type": "Recreate"})
    postgres = pick("overlays/postgres", "Deployment", "server")["spec"]
    assert (postgres["replicas"], postgres["strategy"]["type"]) == (2, "RollingUpdate")


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_has_ranks_has_time_to_save_and_memory_to_share(variant: str) -> None:
    worker = dict(pods(variant))["gpu" if variant in RAY else "worker"]
    assert worker["terminationGracePeriodSeconds"] == 90
    [container] = worker["containers"]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in worker["volumes"]}
    assert volumes[mounts["/dev/shm"]]["emptyDir"]["medium"] == "Memory"
    gpus = container["resources"]["limits"].get("nvidia.com/gpu")
    assert gpus == ("1" if variant.endswith(("gpu", "ray")) else None)


def test_probes_are_those_of_the_programs() -> None:
    pod = dict(pods("base"))
    [server], [worker] = pod["server"]["containers"], pod["worker"]["containers"]
    probes = ("startupProbe", "livenessProbe", "readinessProbe")
    paths = [server[probe]["httpGet"]["path"] for probe in probes]
    assert paths == ["/healthz", "/healthz", "/readyz"]
    assert worker["livenessProbe"]["exec"]["command"] == ["python3", "-m", "workers.health"]


def test_variables_and_secrets_are_settings() -> None:
    fields = {"server": Settings.model_fields, "worker": WorkerSettings.model_fields}
    variants = (*pods("overlays/postgres-gpu"), *pods("overlays/ray"))
    for name, pod in variants:
        if name not in fields:
            continue
        [container] = pod["containers"]
        variables = {
            each["name"]: each["value"]
            for each in container["env"]
            if each["name"].startswith("TRAINYARD_")
        }
        known = {f"TRAINYARD_{field.upper()}" for field in fields[name]}
        assert set(variables) <= known
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert variables["TRAINYARD_SECRETS_DIR"] == mounts["secrets"]
    # Of the secret, workers are given the token that lets them claim and do nothing else.
    [secret] = [v["secret"] for v in dict(pods("base"))["worker"]["volumes"] if "secret" in v]
    assert secret["items"] == [{"key": "trainyard_worker_token", "path": "trainyard_token"}]


@pytest.mark.parametrize("name", ["server", "worker"])
def test_a_network_policy_selects_the_pods_and_ports_that_are_there(name: str) -> None:
    policy = pick("base", "NetworkPolicy", name)["spec"]
    template = pick("base", "Deployment", name)["spec"]["template"]
    assert policy["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    ports = {port["name"] for port in template["spec"]["containers"][0]["ports"]}
    assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} <= ports


@pytest.mark.parametrize("variant", RAY)
def test_a_ray_worker_finds_the_head_and_has_the_clusters_token(variant: str) -> None:
    """The operator names the head's service after the cluster, and the key of the token itself."""
    cluster = pick(variant, "RayCluster", "ray")["spec"]
    secret = cluster["authOptions"]["secretName"]
    assert cluster["authOptions"]["mode"] == "token"
    head = "ray-head-svc:6379"
    everywhere = dict(pods(variant))
    [worker] = everywhere["worker"]["containers"]
    variables = {each["name"]: each["value"] for each in worker["env"]}
    assert (variables["TRAINYARD_LAUNCHER"], variables["TRAINYARD_RAY_ADDRESS"]) == ("ray", head)
    assert f"--address={head} " in worker["args"][0]
    [volume] = [v for v in everywhere["worker"]["volumes"] if v["name"] == "ray-token"]
    assert volume["secret"]["secretName"] == secret
    [mount] = [m for m in worker["volumeMounts"] if m["name"] == "ray-token"]
    assert variables["RAY_AUTH_TOKEN_PATH"] == f"{mount['mountPath']}/auth_token"
    for name in ("head", "gpu"):
        [container] = everywhere[name]["containers"]
        assert container["image"] == worker["image"]
        # What the operator would set in their place calls wget.
        for probe in ("livenessProbe", "readinessProbe"):
            assert container[probe]["exec"]["command"] == ["ray", "status", f"--address={head}"]


@pytest.mark.parametrize("variant", RAY)
def test_only_members_of_a_ray_cluster_reach_each_other(variant: str) -> None:
    policy = pick(variant, "NetworkPolicy", "ray")["spec"]
    cluster = pick(variant, "RayCluster", "ray")["spec"]
    templates = [
        pick(variant, "Deployment", "worker")["spec"]["template"],
        cluster["headGroupSpec"]["template"],
        cluster["workerGroupSpecs"][0]["template"],
    ]
    [label] = policy["podSelector"]["matchExpressions"]
    assert all(label["key"] in template["metadata"]["labels"] for template in templates)
    [rule] = policy["ingress"]
    assert rule == {"from": [{"podSelector": policy["podSelector"]}]}
