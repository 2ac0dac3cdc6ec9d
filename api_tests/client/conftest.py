from api_tests.support.rest_fixtures import client, fake

__all__ = ["client", "fake"]
