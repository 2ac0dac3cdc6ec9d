"""Starts and ends the processes of attempts; imports no torch."""
