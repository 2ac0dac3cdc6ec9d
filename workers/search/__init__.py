"""Searches a supernet for its best path."""
