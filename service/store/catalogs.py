"""Catalogs in the database: each once, by its digest."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from service.contract.catalog import Catalog
from service.store.tables import catalogs, workers


def put(tx: Connection, digest: str, catalog: Catalog, now: datetime) -> None:
    """Store a catalog that is not there yet; twice at once raises IntegrityError."""
    query = select(catalogs.c.digest).where(catalogs.c.digest == digest)
    if tx.execute(query.with_for_update()).first() is None:
        values = {"digest": digest, "body": catalog.model_dump_json(), "created_at": now}
        tx.execute(insert(catalogs).values(**values))


def get(tx: Connection, digest: str) -> Catalog | None:
    """One catalog."""
    body = tx.execute(select(catalogs.c.body).where(catalogs.c.digest == digest)).scalar()
    return None if body is None else Catalog.model_validate_json(body)


def digests(tx: Connection, before: datetime | None = None) -> list[str]:
    """The digests of the stored catalogs that came `before` a moment, the newest first."""
    query = select(catalogs.c.digest).order_by(catalogs.c.created_at.desc(), catalogs.c.digest)
    if before is not None:
        query = query.where(catalogs.c.created_at < before)
    return list(tx.execute(query).scalars())


def delete_unused(tx: Connection, digests: list[str]) -> int:
    """Delete those of the catalogs that no worker has; gives how many."""
    of_workers = select(workers.c.catalog_digest).where(workers.c.catalog_digest.is_not(None))
    unused = catalogs.c.digest.in_(digests) & catalogs.c.digest.not_in(of_workers)
    return tx.execute(delete(catalogs).where(unused)).rowcount
