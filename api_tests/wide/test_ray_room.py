"""What an attempt does on a Ray cluster where other work has a node that it needs."""

from pathlib import Path

import pytest

from api_tests.support.claims import LONG
from api_tests.support.polling import eventually
from api_tests.support.wide_launches import TRAINER, StartRayLauncher, an_attempt
from api_tests.support.worker_process import title_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole machine")]


def test_an_attempt_begins_on_no_node_while_another_has_one_of_them(
    start_ray_launcher: StartRayLauncher, tmp_path: Path
) -> None:
    holder = an_attempt(start_ray_launcher(TRAINER), tmp_path, hosts=1, **LONG)
    holder.wait_for("progress")
    wide = an_attempt(start_ray_launcher(TRAINER), tmp_path)
    holder.set_deadline(3600)
    wide.set_deadline(3600)
    begun: set[str] = set()

    def has_ended() -> bool:
        begun.update(map(title_of, wide.processes()))
        return wide.handle.wait(0) is not None

    eventually(has_ended, 150)
    exit_ = wide.end()
    assert begun == set()
    assert wide.kinds() == []
    assert "no room within 60 s" in exit_.problem
    assert len(exit_.lost_hosts) == 2
    assert holder.handle.wait(0) is None
    holder.handle.kill()
    holder.end()
