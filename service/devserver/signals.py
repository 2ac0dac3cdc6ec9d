"""Waiting for signals instead of handling them: no code runs in a handler, no signal is missed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

TERMINATION_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def blocked_signals() -> Iterator[None]:
    """Block the termination signals and SIGCHLD within the block; `next_signal` receives them."""
    # Under nohup SIGHUP is ignored, and a closed terminal must not end the process.
    terminating = {
        each for each in TERMINATION_SIGNALS if signal.getsignal(each) is not signal.SIG_IGN
    }
    previous_mask = signal.pthread_sigmask(
        signal.SIG_BLOCK, terminating | {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
    )
    try:
        yield
    finally:
        # A signal that is still pending would kill the process before it returns its exit status.
        while next_signal(0) is not None:
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)


def unblock_signals() -> None:
    """Unblock all signals; a child calls it before exec, which would inherit the mask."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def next_signal(timeout_seconds: float) -> int | None:
    """The number of the next blocked signal, or None after `timeout_seconds` without one.

    SIGCHLD means that a child process has ended.
    """
    received = signal.sigtimedwait((*TERMINATION_SIGNALS, signal.SIGCHLD), max(timeout_seconds, 0))
    return None if received is None else received.si_signo
