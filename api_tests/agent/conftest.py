from api_tests.support.worker_fixtures import control_plane, driver, start_worker

__all__ = ["control_plane", "driver", "start_worker"]
