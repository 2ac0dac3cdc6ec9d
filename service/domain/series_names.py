"""The names of the series that the control plane keeps of a job beside what its run measures."""

from service.contract.time_spent import TimeSpent

OWN_PREFIX = "@"
TIME = "@time"
"""The moment at which each step was reached, in seconds since 1970."""
TIME_SPENT = {f"{OWN_PREFIX}{name}": name for name in TimeSpent.model_fields}
"""By name the field of TimeSpent of which the series has the seconds until each step."""
OWN_NAMES = (TIME, *TIME_SPENT)


def is_own_name(name: str) -> bool:
    """True for a name that no metric of a run can have."""
    return name.startswith(OWN_PREFIX)
