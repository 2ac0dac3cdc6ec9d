"""How the ranks of one host meet: on the loopback, at a port that nobody else can take."""

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.worker_process import StartWorker

ENDLESS = {"total_iters": 100_000, "save_interval": 100_000, "val_interval": 100_000}
SHORT = {"total_iters": 1, "bn_recalibration_iters": 1}


def test_nobody_can_take_the_port_before_the_first_rank_listens_there(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker(ranks="torch_ranks:second_wants_the_port")
    report = control_plane.report_of(control_plane.offer(a_claim(ranks=2, params=SHORT)))
    assert (report.outcome, report.message) == ("succeeded", "")


def test_ranks_of_one_host_talk_over_loopback_whatever_interface_the_user_named(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(GLOO_SOCKET_IFNAME="eth7")
    held = control_plane.offer(a_claim(ranks=2, params=ENDLESS))
    control_plane.wait_for(lambda: "progress" in held.kinds())
    for rank in (0, 1):
        connections = worker.rank(rank).net_connections("inet")
        assert connections
        assert {each.laddr.ip.removeprefix("::ffff:") for each in connections} == {"127.0.0.1"}
