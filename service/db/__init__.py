"""The database: declarative base and types, engines and sessions, migrations."""

from service.db.engines import Database, sqlite_fault
from service.db.folding import has_words
from service.db.prepared import Asking, Prepared, among, at_most, connection_of, inserting
from service.db.schema import Base, UtcDateTime, id_at, new_id
from service.db.turns import takes_turn

__all__ = [
    "Asking",
    "Base",
    "Database",
    "Prepared",
    "UtcDateTime",
    "among",
    "at_most",
    "connection_of",
    "has_words",
    "id_at",
    "inserting",
    "new_id",
    "sqlite_fault",
    "takes_turn",
]
