"""The devices of tests that run on each: the CPU always, CUDA where there is one."""

import os

import pytest

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


def hide_gpus() -> None:
    """From here on this process sees no CUDA device, if it has not looked yet."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
