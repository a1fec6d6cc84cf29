"""Copy every table of a SQLite database to an empty PostgreSQL one, counted and checked."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Connection, Enum, Select, Table, Text, cast, func, select

from service.db.engines import Database
from service.db.loading import loading
from service.db.schema import Base
from service.errors import AlreadyExists, Unavailable

BATCH = 5_000

Row = Sequence[Any]


@dataclass(slots=True)
class Sum:
    """How many rows there are, and a sum that the same rows have in any order."""

    rows: int = 0
    checksum: int = 0

    def add(self, row: Row) -> None:
        """Count a row."""
        digest = hashlib.blake2b(repr(row).encode(), digest_size=8).digest()
        self.rows += 1
        self.checksum = (self.checksum + int.from_bytes(digest)) % 2**64

    def told(self) -> dict[str, object]:
        """As plain data."""
        return {"rows": self.rows, "checksum": f"{self.checksum:016x}"}


def total(source: Database) -> int:
    """How many rows there are to copy."""
    with source.read() as session:
        return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in _all())


def copy(source: Database, target: Database, *, on_rows: Callable[[int], None]) -> dict[str, Sum]:
    """Copy one moment's state in one transaction; returns what each table came to.

    `on_rows` hears of each batch, first copied and then read again. Raises AlreadyExists where the
    target has rows, Unavailable where what it holds afterwards is not what the source held; then it
    is as empty as before.
    """
    with source.read_one_moment() as reading, target.write() as session:
        writing = session.connection()
        _refuse_filled(writing)
        # What triggers would write is copied like all else.
        with loading(writing, [table.name for table in _all()], remakes=True):
            sent = {
                table.name: _fill(table, reading.connection(), writing, on_rows) for table in _all()
            }
        for table in _all():
            if _summed(table, writing, on_rows) != sent[table.name]:
                raise Unavailable(f"The copy of {table.name} differs; nothing was kept.")
    return sent


def _all() -> list[Table]:
    return Base.metadata.sorted_tables


def _refuse_filled(connection: Connection) -> None:
    for table in _all():
        if connection.scalar(select(select(table).exists())):
            raise AlreadyExists(f"The target is not empty: {table.name} has rows.")


def _fill(
    table: Table, reading: Connection, writing: Connection, on_rows: Callable[[int], None]
) -> Sum:
    """Copy one table in one statement, so that its rows may refer to each other."""
    name, sent = f'"{table.name}"', Sum()
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    with writing.connection.cursor().copy(f"COPY {name} ({columns}) FROM STDIN") as rows:
        for batch in _batches(table, reading):
            for row in batch:
                rows.write_row(row)
                sent.add(_canonical(table, row))
            on_rows(len(batch))
    _go_on_counting(table, writing)
    return sent


def _summed(table: Table, connection: Connection, on_rows: Callable[[int], None]) -> Sum:
    found = Sum()
    for batch in _batches(table, connection):
        for row in batch:
            found.add(_canonical(table, row))
        on_rows(len(batch))
    return found


def _batches(table: Table, connection: Connection) -> Iterator[Sequence[Row]]:
    streaming = {"yield_per": BATCH}
    yield from connection.execute(_as_it_is_kept(table), execution_options=streaming).partitions()


def _as_it_is_kept(table: Table) -> Select[Any]:
    """JSON and words as texts: Python would not tell JSON's null from none."""
    return select(
        *(
            cast(column, Text) if isinstance(column.type, JSON | Enum) else column
            for column in table.columns
        )
    )


def _canonical(table: Table, row: Row) -> list[Any]:
    """JSON spelled in one way: PostgreSQL puts its keys in another order."""
    return [
        json.dumps(json.loads(value), sort_keys=True)
        if value is not None and isinstance(column.type, JSON)
        else value
        for column, value in zip(table.columns, row, strict=True)
    ]


def _go_on_counting(table: Table, connection: Connection) -> None:
    """Let numbered rows go on after the last one."""
    counted = table.autoincrement_column
    if counted is not None:
        sequence = func.pg_get_serial_sequence(table.name, counted.name)
        last = select(func.max(counted)).scalar_subquery()
        connection.execute(select(func.setval(sequence, last)))
