"""What the kernel does for us when a parent dies; each process here is told its part."""

import subprocess
import sys

SCRIPT = """
import os, signal, sys, time
from service.contract.kernel import become_subreaper, die_with_parent
from workers.descendants import kill_descendants

def child(part):
    pid = os.fork()
    if pid == 0:
        part()
        os._exit(0)
    return pid

{part}
"""

PARENT_DIES = """
become_subreaper()
reader, writer = os.pipe()
def lives_on():
    {before}
    die_with_parent(parent)
    os.write(writer, b"x")
    time.sleep(60)
def parent_part():
    global parent
    parent = os.getpid()
    child(lives_on)
    {wait}
    os.kill(os.getpid(), signal.SIGKILL)
os.waitpid(child(parent_part), 0)
_, status = os.wait()
print(os.waitstatus_to_exitcode(status))
"""


def _printed(part: str) -> str:
    script = SCRIPT.format(part=part)
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    return run.stdout.strip()


def test_a_process_ends_when_its_parent_is_killed() -> None:
    assert _printed(PARENT_DIES.format(before="pass", wait="os.read(reader, 1)")) == "-9"


def test_a_process_whose_parent_was_dead_before_it_asked_ends_too() -> None:
    orphaned = "while os.getppid() == parent: time.sleep(0.001)"
    assert _printed(PARENT_DIES.format(before=orphaned, wait="pass")) == "-9"


def test_descendants_in_other_sessions_are_killed_and_those_to_keep_are_spared() -> None:
    part = """
become_subreaper()
def leaves():
    os.setsid()
    time.sleep(60)
def orphans():
    child(leaves)
spared = child(lambda: time.sleep(60))
os.waitpid(child(orphans), 0)
statuses = kill_descendants(keep=[spared])
print(list(statuses.values()), os.waitpid(spared, os.WNOHANG)[0], len(kill_descendants()))
"""
    assert _printed(part) == "[9] 0 1"
