"""Signals as something to wait for: nothing runs in a handler, and none is missed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def held() -> Iterator[None]:
    """Within, the signals that end a process wait until `next_signal` takes them."""
    # Under nohup a closed terminal is no reason to end.
    endings = {each for each in ENDINGS if signal.getsignal(each) is not signal.SIG_IGN}
    before = signal.pthread_sigmask(
        signal.SIG_BLOCK, endings | {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
    )
    try:
        yield
    finally:
        # One that came late would end the process in place of its own exit status.
        while next_signal(0) is not None:
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def release() -> None:
    """For a child between fork and exec: the mask would outlive the exec."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def next_signal(timeout_seconds: float) -> int | None:
    """The next held signal, or None when none came in time; SIGCHLD says that a child ended."""
    found = signal.sigtimedwait((*ENDINGS, signal.SIGCHLD), max(timeout_seconds, 0))
    return None if found is None else found.si_signo
