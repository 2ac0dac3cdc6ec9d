"""Runs the command-line program: `python -m service.cli`."""

from service.cli import app

app(prog_name="trainyard")
