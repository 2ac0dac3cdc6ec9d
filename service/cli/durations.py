"""Durations as options give them: hours, days or weeks."""

import re
from datetime import timedelta

from service.cli.exit_codes import BadInput

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DURATION = re.compile(r"([1-9][0-9]{0,4})([hdw])")


def duration_of(option: str, text: str) -> timedelta:
    """The duration that an option such as `--expires` gives; raises BadInput."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise BadInput(f"{option} {text!r} is no time such as 12h, 30d or 8w")
    return int(match[1]) * _UNITS[match[2]]
