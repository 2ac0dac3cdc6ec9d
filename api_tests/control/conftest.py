from api_tests.support.use_case_fixtures import agent, control_plane, new_agent

__all__ = ["agent", "control_plane", "new_agent"]
