"""Sends the control plane the catalog of what this worker can run."""

import re

import structlog

from service.contract.catalog import Catalog
from workers.agent.client import ControlPlane
from workers.agent.control_plane_errors import NoSuchRoute, Refused, Unauthorized, UnknownWorker

_ENTRY = re.compile(r"/(recipes|datasets)/(\d+)(/|$)")
_log = structlog.get_logger()


class CatalogReporter:
    """Sends the catalog after each registration, for the control plane may forget it.

    An older control plane does not take it, and gives out the jobs that it knows without: that is
    logged once. A recipe or data set that it refuses is left out from then on.
    """

    def __init__(self, control_plane: ControlPlane, worker_id: str, catalog: Catalog) -> None:
        self._control_plane, self._worker_id, self._catalog = control_plane, worker_id, catalog
        self._refusal_is_logged = False

    def report(self) -> None:
        """Send it until it is answered; raises Unauthorized, UnknownWorker, Unreachable."""
        while not self._is_answered():
            pass

    def _is_answered(self) -> bool:
        try:
            self._control_plane.put_catalog(self._worker_id, self._catalog)
        except (Unauthorized, UnknownWorker):
            raise
        except NoSuchRoute:
            self._log_once("catalog_not_supported", "the control plane is of an older version")
        except Refused as error:
            smaller = _without_refused(self._catalog, error)
            if smaller != self._catalog:
                self._catalog = smaller
                return False
            self._log_once("catalog_refused", str(error))
        else:
            _log.info("catalog_sent", digest=self._catalog.digest)
        return True

    def _log_once(self, event: str, reason: str) -> None:
        if not self._refusal_is_logged:
            _log.warning(event, reason=reason, recipes=len(self._catalog.recipes))
        self._refusal_is_logged = True


def _without_refused(catalog: Catalog, error: Refused) -> Catalog:
    """The catalog without the entries that the control plane named as wrong."""
    refused: dict[str, set[int]] = {"recipes": set(), "datasets": set()}
    for problem in error.problems:
        entry = _ENTRY.match(problem.pointer)
        if entry is not None:
            refused[entry[1]].add(int(entry[2]))
            _log.error("plugin_not_offered", entry=entry[0], error=problem.detail)
    return catalog.model_copy(
        update={
            field: tuple(
                each for number, each in enumerate(getattr(catalog, field)) if number not in numbers
            )
            for field, numbers in refused.items()
        }
    )
