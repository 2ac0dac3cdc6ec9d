"""The models and rules that the server, its clients and the workers share.

Imports the standard library and pydantic alone.
"""
