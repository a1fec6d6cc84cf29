"""Rows go in as fast as a database takes them: COPY on PostgreSQL, executemany on SQLite."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from service.db import Base

Row = tuple[object, ...]


class Bulk:
    """Rows of one table, kept until `write`; the other columns take their defaults."""

    def __init__(self, table: str, columns: Sequence[str], rows: Sequence[Row] = ()) -> None:
        self.table = Base.metadata.tables[table].name
        self.columns = columns
        self.rows = list(rows)

    def take(self) -> "Bulk":
        """Its rows in another one; here are none then."""
        taken = Bulk(self.table, self.columns, self.rows)
        self.rows = []
        return taken

    def write(self, session: Session) -> int:
        """Insert the rows; returns how many they were."""
        if not self.rows:
            return 0
        names = ", ".join(f'"{column}"' for column in self.columns)
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(self.columns))
            connection.exec_driver_sql(
                f'INSERT INTO "{self.table}" ({names}) VALUES ({marks})',  # noqa: S608
                self.rows,
            )
        else:
            cursor = connection.connection.cursor()
            with cursor.copy(f'COPY "{self.table}" ({names}) FROM STDIN') as copy:
                for row in self.rows:
                    copy.write_row(row)
        return len(self.rows)
