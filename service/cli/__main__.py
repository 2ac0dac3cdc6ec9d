"""Runs the command-line program: `trainyard`, and `python -m service.cli`."""

import signal


def run() -> None:
    """Run the program; Ctrl-C ends it without a traceback from its first moment on."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        # The import of the commands takes a third of a second, in which nothing needs an end.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from service.cli import app

    signal.signal(signal.SIGINT, handler)
    app(prog_name="trainyard")


if __name__ == "__main__":
    run()
