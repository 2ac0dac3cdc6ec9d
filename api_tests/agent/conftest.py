from api_tests.support.worker_fixtures import control_plane, start_worker, two_gpus

__all__ = ["control_plane", "start_worker", "two_gpus"]
