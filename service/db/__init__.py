"""The database: declarative base and types, engines and sessions, migrations."""

from service.db.engines import Database, sqlite_fault
from service.db.schema import Base, UtcDateTime, new_id

__all__ = ["Base", "Database", "UtcDateTime", "new_id", "sqlite_fault"]
