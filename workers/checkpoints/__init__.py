"""Writes and reads checkpoints: training state, weights, random states."""
