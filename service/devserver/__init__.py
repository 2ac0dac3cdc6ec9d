"""Runs a control plane and its workers on one machine, as processes that end with their parent."""
