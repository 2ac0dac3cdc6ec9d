"""What `ps` and a scheduler see of a worker: names without a space."""

import psutil

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.processes import kernel_name
from api_tests.support.worker_process import StartWorker, title_of
from service.contract.process_title import process_title

ENDLESS = {"total_iters": 100_000, "save_interval": 100_000, "val_interval": 100_000}
LOADERS = 1


def test_no_process_of_a_training_has_a_space_in_its_name(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker()
    held = control_plane.offer(a_claim(ranks=2, params=ENDLESS | {"data_workers": LOADERS}))
    control_plane.wait_for(lambda: "progress" in held.kinds())
    processes = [psutil.Process(worker.process.pid), *worker.tree()]
    titles = [title_of(each) for each in processes]
    assert [title for title in titles if " " in title] == []
    assert sorted(titles) == sorted(
        [
            process_title("agent"),
            process_title("warm"),
            process_title("supervisor", "job_1"),
            # A loader has the title of its rank.
            *[process_title("rank-0", "job_1"), process_title("rank-1", "job_1")] * (1 + LOADERS),
        ]
    )
    assert [name for name in map(kernel_name, processes) if " " in name] == []
