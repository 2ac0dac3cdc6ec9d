"""Data sets, preprocessing, and batches for training and validation."""
