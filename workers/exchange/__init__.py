"""Imports weights of other programs, and exports checkpoints for them."""
