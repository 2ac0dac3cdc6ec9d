"""The counter of the kernel's OOM kills, in each place where a kernel may have it."""

from pathlib import Path

import pytest

from service.contract.oom_kills import count_oom_kills

UNIFIED = "30 1 0:26 {root} {mount} rw,nosuid - cgroup2 cgroup rw\n"
MEMORY = "31 1 0:27 {root} {mount} rw,nosuid shared:9 - cgroup cgroup rw,memory\n"
CPU = "32 1 0:28 {root} {mount} rw,nosuid - cgroup cgroup rw,cpu\n"
EVENTS = "low 0\nhigh 7\nmax 9\noom 4\noom_kill 3\noom_group_kill 0\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"


@pytest.mark.parametrize(
    ("group", "mounts", "root", "file", "content", "count"),
    [
        ("0::/a/b\n", UNIFIED, "/", "a/b/memory.events", EVENTS, 3),
        ("0::/\n", UNIFIED, "/", "memory.events", EVENTS, 3),
        ("4:memory:/a\n1:cpu:/\n", CPU + MEMORY, "/", "a/memory.oom_control", CONTROL, 2),
        ("4:cpu,memory:/a\n0::/\n", UNIFIED + MEMORY, "/", "a/memory.oom_control", CONTROL, 2),
        # In a container, whose group is mounted by itself and named as its host names it.
        ("4:memory:/docker/x\n", MEMORY, "/docker/x", "memory.oom_control", CONTROL, 2),
        ("0::/system/x\n", UNIFIED, "/../other", "memory.events", EVENTS, 3),
        # The whole machine, in whose root group there is no counter.
        ("0::/\n", UNIFIED, "/", "cgroup.procs", "1\n", 5),
        ("", "", "/", "cgroup.procs", "1\n", 5),
    ],
)
def test_the_counter_of_the_own_group_counts_and_else_the_machines(
    tmp_path: Path, group: str, mounts: str, root: str, file: str, content: str, count: int
) -> None:
    (tmp_path / "self").mkdir()
    mount = tmp_path / "cgroup"
    (tmp_path / "self" / "mountinfo").write_text(mounts.format(root=root, mount=mount))
    (tmp_path / "self" / "cgroup").write_text(group)
    (tmp_path / "vmstat").write_text("pgfault 9\noom_kill 5\n")
    (mount / file).parent.mkdir(parents=True, exist_ok=True)
    (mount / file).write_text(content)
    assert count_oom_kills(tmp_path) == count


def test_where_nothing_counts_there_is_none(tmp_path: Path) -> None:
    assert count_oom_kills(tmp_path) == 0
