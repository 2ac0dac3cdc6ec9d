"""Checks of data sets: what would end a job, in one report."""
