"""Packs: the images of a data set in one file, which is read by position."""
