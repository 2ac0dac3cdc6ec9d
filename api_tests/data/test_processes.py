"""Work in processes of its own ends with them, whatever becomes of one."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal
from multiprocessing import active_children
from workers.data.errors import InvalidData
from workers.data.processes import in_processes

def work(number):
    {at_work}
    # More than a pipe holds: a process waits until its results are taken.
    return number, bytes(1 << 20)

def kill(numbers):
    children = active_children()
    for number in numbers:
        children[number].kill()

results = in_processes(work, range(400), 4)
try:
    numbers = []
    for number, _ in results:
        numbers.append(number)
        {at_result}
except (InvalidData, ValueError) as error:
    print(error)
else:
    print("all" if numbers == list(range(400)) else numbers)
print(len(active_children()), "are left")
"""
KILLED = "a process was killed while it read an image"
NONE_LEFT = "0 are left\n"


def printed(at_work: str = "pass", at_result: str = "pass") -> str:
    program = PROGRAM.format(at_work=at_work, at_result=at_result)
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def test_every_result_comes_once_and_in_order() -> None:
    assert printed() == f"all\n{NONE_LEFT}"


def test_a_process_that_is_killed_ends_the_work_although_the_others_wait() -> None:
    killed = printed(at_work="if number == 40: os.kill(os.getpid(), signal.SIGKILL)")
    assert killed.startswith(KILLED)
    assert killed.endswith(NONE_LEFT)


@pytest.mark.parametrize("numbers", ["[0]", "[3]", "range(4)"])
def test_processes_that_are_killed_while_they_send_end_the_work(numbers: str) -> None:
    # By the first result all of them are sending, or will be before they are asked for more.
    killed = printed(at_result=f"len(numbers) == 1 and kill({numbers})")
    assert killed.startswith(KILLED)
    assert killed.endswith(NONE_LEFT)


def test_an_error_of_the_work_is_raised_by_its_result() -> None:
    failed = printed(at_work="if number == 40: raise ValueError('number 40')")
    assert failed == f"number 40\n{NONE_LEFT}"


def test_a_result_that_cannot_be_sent_ends_the_work() -> None:
    ended = printed(at_work="if number == 40: return number, lambda: None")
    assert ended.startswith(KILLED)


def test_work_that_is_given_up_leaves_no_process() -> None:
    assert printed(at_result="results.close()") == f"[0]\n{NONE_LEFT}"
