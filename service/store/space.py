"""How large the database is."""

from sqlalchemy import Connection, text

_SQLITE = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
_POSTGRES = "SELECT pg_database_size(current_database())"


def database_bytes(tx: Connection) -> int:
    """The bytes of the database's file, or of all its tables and indexes on PostgreSQL."""
    query = _SQLITE if tx.dialect.name == "sqlite" else _POSTGRES
    return int(tx.execute(text(query)).scalar_one())
