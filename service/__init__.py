"""Trainyard: the control plane, its client and its contract with the workers."""

__version__ = "0.1.0"
"""Of the service and the workers; the distribution's metadata takes it from here."""
