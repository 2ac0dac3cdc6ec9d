"""The browser of the tests, which is Debian's."""

import shutil

from playwright.sync_api import Browser, Playwright

_NAMES = ("chromium-headless-shell", "chromium")
"""The first that is installed is taken: without the parts of a window a page costs less time."""


class NoChromium(Exception):
    """None is on PATH."""


def launch_chromium(playwright: Playwright) -> Browser:
    """A browser without a profile; raises NoChromium."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise NoChromium(f"no {' or '.join(_NAMES)} on PATH: `make test` installs one")
    return playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
