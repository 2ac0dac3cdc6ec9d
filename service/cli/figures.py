"""Numbers formatted for people; a missing number is a dash."""

from datetime import datetime

from service.contract.time_spent import TimeSpent

NONE = "-"


def error_rate(fraction: float | None) -> str:
    """A fraction as a percentage: 0.0528 is `5.28 %`."""
    return NONE if fraction is None else f"{fraction * 100:.2f} %"


def share(fraction: float | None) -> str:
    """A fraction as a whole percentage: 0.934 is `93 %`."""
    return NONE if fraction is None else f"{fraction * 100:.0f} %"


def loss(value: float | None) -> str:
    """A loss with four significant digits."""
    return NONE if value is None else f"{value:.4g}"


def rate(per_second: float | None) -> str:
    """Images per second, rounded to a whole number."""
    return NONE if per_second is None else f"{per_second:.0f}"


def duration(seconds: float | None) -> str:
    """A duration such as `42 s`, `3 min 10 s` or `2 h 5 min`."""
    if seconds is None:
        return NONE
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def time_spent(spent: TimeSpent | None) -> str:
    """Where the time went, as `data wait 41 %, step 52 %, other 7 % of 12 min 3 s`."""
    total = 0.0 if spent is None else spent.total_seconds
    if spent is None or not total:
        return NONE
    shares = (
        f"{name.removesuffix('_seconds').replace('_', ' ')} {100 * seconds / total:.0f} %"
        for name, seconds in spent.model_dump().items()
        if seconds
    )
    return f"{', '.join(shares)} of {duration(total)}"


def size(count: int) -> str:
    """A number of bytes with a decimal unit: 1500 is `1.5 kB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


def moment(when: datetime | None) -> str:
    """A UTC time to the second, such as `2026-01-01 12:00:00Z`."""
    return NONE if when is None else f"{when:%Y-%m-%d %H:%M:%S}Z"
