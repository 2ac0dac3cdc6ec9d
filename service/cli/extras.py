"""The optional parts of the installation that some commands need."""

from importlib.util import find_spec

from service.cli.exit_codes import MissingExtra

_MODULES = {"server": "uvicorn", "workers": "torch"}
"""Extra -> a module that only this extra installs."""


def require_extras(command: str, *extras: str) -> None:
    """Raise MissingExtra, with the packages to install, unless all `extras` are installed."""
    missing = [extra for extra in extras if find_spec(_MODULES[extra]) is None]
    if missing:
        names = " and ".join(missing)
        plural = "s" if missing[1:] else ""
        raise MissingExtra(
            f"{command} needs the {names} extra{plural}: "
            f"pip install 'trainyard-service[{','.join(missing)}]'"
        )
