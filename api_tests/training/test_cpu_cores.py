"""The cores that a process may use, by its affinity and by the CPU quota of its control groups."""

import os
from pathlib import Path

import pytest

from workers.cpu_cores import available_cores, cores_of_rank

UNIFIED = "30 1 0:26 / {mount} rw,nosuid - cgroup2 cgroup rw\n"
CPU = "32 1 0:28 / {mount} rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n"


@pytest.fixture
def sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))


@pytest.mark.parametrize(
    ("group", "mounts", "files", "cores"),
    [
        ("0::/a/b\n", UNIFIED, {"a/b/cpu.max": "250000 100000\n"}, 2),
        ("0::/a/b\n", UNIFIED, {"a/b/cpu.max": "20000 100000\n"}, 1),
        ("0::/a/b\n", UNIFIED, {"a/b/cpu.max": "max 100000\n"}, 16),
        ("0::/a/b\n", UNIFIED, {"a/b/cpu.max": "6400000 100000\n"}, 16),
        # The quota of a group holds for all groups in it.
        (
            "0::/a/b\n",
            UNIFIED,
            {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "400000 100000\n"},
            4,
        ),
        (
            "2:cpu,cpuacct:/a\n",
            CPU,
            {"a/cpu.cfs_quota_us": "300000\n", "a/cpu.cfs_period_us": "100000\n"},
            3,
        ),
        (
            "2:cpu,cpuacct:/a\n",
            CPU,
            {"a/cpu.cfs_quota_us": "-1\n", "a/cpu.cfs_period_us": "100000\n"},
            16,
        ),
        ("", "", {}, 16),
    ],
)
@pytest.mark.usefixtures("sixteen_cores")
def test_a_process_has_the_cores_of_its_affinity_up_to_the_quota_of_its_groups(
    tmp_path: Path, group: str, mounts: str, files: dict[str, str], cores: int
) -> None:
    (tmp_path / "self").mkdir()
    mount = tmp_path / "cgroup"
    (tmp_path / "self" / "mountinfo").write_text(mounts.format(mount=mount))
    (tmp_path / "self" / "cgroup").write_text(group)
    for name, content in files.items():
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(content)
    assert available_cores(tmp_path) == cores


@pytest.mark.usefixtures("sixteen_cores")
def test_a_rank_has_what_the_launcher_gave_it_or_its_even_share() -> None:
    assert cores_of_rank(4, {"TRAINYARD_RANK_CORES": "3"}) == 3
    assert cores_of_rank(4, {}) <= 4
    assert cores_of_rank(64, {}) == 1
