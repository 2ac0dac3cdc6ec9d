"""Telling the control plane what this worker can do."""

import structlog

from service.contract.catalog import Catalog
from workers.agent.client import ControlPlane, NoSuchRoute, Refused, Unauthorized, UnknownWorker

_log = structlog.get_logger()


class CatalogReporter:
    """Sends the catalog after each registration, for the control plane may forget it.

    An older control plane does not take it, and gives out the jobs that it knows without: that is
    logged once.
    """

    def __init__(self, control_plane: ControlPlane, worker_id: str, catalog: Catalog) -> None:
        self._control_plane, self._worker_id, self._catalog = control_plane, worker_id, catalog
        self._refusal_is_logged = False

    def report(self) -> None:
        """Send it until it is answered; raises Unauthorized, UnknownWorker, Unreachable."""
        try:
            self._control_plane.put_catalog(self._worker_id, self._catalog)
        except (Unauthorized, UnknownWorker):
            raise
        except NoSuchRoute:
            self._log_once("catalog_not_supported", "the control plane is of an older version")
        except Refused as error:
            self._log_once("catalog_refused", str(error))
        else:
            _log.info("catalog_sent", digest=self._catalog.digest)

    def _log_once(self, event: str, reason: str) -> None:
        if not self._refusal_is_logged:
            _log.warning(event, reason=reason, recipes=len(self._catalog.recipes))
        self._refusal_is_logged = True
