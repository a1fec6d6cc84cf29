"""The database: declarative base and types, engines and sessions, migrations."""

from service.db.engines import Database, sqlite_fault
from service.db.prepared import Prepared, among
from service.db.schema import Base, UtcDateTime, id_at, new_id
from service.db.turns import takes_turn

__all__ = [
    "Base",
    "Database",
    "Prepared",
    "UtcDateTime",
    "among",
    "id_at",
    "new_id",
    "sqlite_fault",
    "takes_turn",
]
