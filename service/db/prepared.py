"""Statements of the busiest path: compiled once, run by the driver with no layer between."""

import json
from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    String,
    TypeDecorator,
    Uuid,
    any_,
    bindparam,
    cast,
    column,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from service.db.schema import Base

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
Values = Mapping[str, Any]
Change = Callable[[Any], Any]


def connection_of(session: Session) -> Connection:
    """The connection of the session's transaction; what the session holds back is written first."""
    session.flush()
    # A session in another's transaction makes a savepoint once it is asked for its connection.
    return session.bind if isinstance(session.bind, Connection) else session.connection()


def among(ids: Any, name: str, dialect: str) -> ColumnElement[bool]:
    """Whether a column's id is one of a list's, which is one parameter however long it is."""
    listed = bindparam(name, type_=_Ids)
    if dialect == "postgresql":
        made: ColumnElement[bool] = ids == any_(cast(listed, postgresql.ARRAY(Uuid)))
        return made
    chosen: ColumnElement[bool] = ids.in_(select(func.json_each(listed).table_valued("value")))
    return chosen


class _Ids(TypeDecorator[Collection[UUID]]):
    """Ids as the text that the database takes apart: the driver needs longer for a list."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Collection[UUID] | None, dialect: Dialect) -> str:
        if dialect.name == "postgresql":
            return "{" + ",".join(map(str, value or ())) + "}"
        return json.dumps([each.hex for each in value or ()])


class Prepared:
    """A Core statement whose parameters are named `bindparam`s, or how to make it by dialect.

    Types of columns and parameters hold as ever, and errors are SQLAlchemy's; events of the engine
    and the session's objects know nothing of it. It takes a tenth of the time that `execute` takes.
    """

    def __init__(self, statement: Any | Callable[[str], Any]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}
        self._copied: Sequence[str] = ()
        """The columns that PostgreSQL takes many rows of by COPY."""
        self._listed: Collection[str] = ()
        """The parameters that it takes as lists, one item a row."""
        self._table = ""

    @classmethod
    def insert(cls, table: type[Base], columns: str, *, or_leave: bool = False) -> "Prepared":
        """Writes rows of these columns, all that have a value; `or_leave` what is there already."""
        names = columns.split()
        values: dict[str, Any] = {name: bindparam(name) for name in names}
        if or_leave:
            return cls(
                lambda dialect: _INSERTS[dialect](table).values(values).on_conflict_do_nothing()
            )
        made = cls(insert(table).values(values))
        made._table, made._copied = table.__tablename__, names
        return made

    @classmethod
    def each(
        cls, statement: Callable[[Mapping[str, Any]], Any], **types: TypeEngine[Any]
    ) -> "Prepared":
        """Changes many rows, each by its own values: the statement is made of the names' columns.

        One statement for all on PostgreSQL, which takes them as lists.
        """
        lists = {name: postgresql.ARRAY(kind) for name, kind in types.items()}

        def made(dialect: str) -> Any:
            if dialect != "postgresql":
                return statement({name: bindparam(name, type_=types[name]) for name in types})
            given = func.unnest(
                *(cast(bindparam(name, type_=kind), kind) for name, kind in lists.items())
            ).table_valued(*(column(name, kind) for name, kind in types.items()), name="given")
            return statement(dict(given.render_derived().c.items()))

        prepared = cls(made)
        prepared._listed = lists
        return prepared

    def all(self, session: Session, values: Values) -> list[Any]:
        """The rows, as named tuples."""
        return self._rows(connection_of(session), values)

    def one(self, session: Session, values: Values) -> Any:
        """The only row there can be; None without one."""
        return next(iter(self._rows(connection_of(session), values)), None)

    def run(self, session: Session, *rows: Values) -> int:
        """Execute for each of these rows; how many it changed."""
        connection = connection_of(session)
        compiled = self._for(connection.dialect)
        is_postgresql = connection.dialect.name == "postgresql"
        if is_postgresql and self._listed:
            rows = ({name: [row[name] for row in rows] for name in self._listed},)
        given = [compiled.given(row) for row in rows]
        cursor: Any = connection.connection.cursor()
        try:
            if len(given) == 1:
                cursor.execute(compiled.sql, given[0])
            elif is_postgresql and self._copied:
                # A third of the time that as many statements take, here and there.
                columns = ", ".join(self._copied)
                with cursor.copy(f"COPY {self._table} ({columns}) FROM STDIN") as copy:
                    for row in given:
                        copy.write_row([row[name] for name in self._copied])
            else:
                cursor.executemany(compiled.sql, given)
            return int(cursor.rowcount)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _told(connection, compiled.sql, error) from error
        finally:
            cursor.close()

    def _rows(self, connection: Connection, values: Values) -> list[Any]:
        compiled = self._for(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(compiled.sql, compiled.given(values))
            return [compiled.row(row) for row in cursor.fetchall()]
        except connection.dialect.loaded_dbapi.Error as error:
            raise _told(connection, compiled.sql, error) from error
        finally:
            cursor.close()

    def _for(self, dialect: Dialect) -> "_Compiled":
        if dialect.name not in self._compiled:
            statement = self._statement
            made = statement(dialect.name) if callable(statement) else statement
            self._compiled[dialect.name] = _Compiled(made, dialect)
        return self._compiled[dialect.name]


class _Compiled:
    """One statement in one dialect: its text, and how values go in and out."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        self._is_positional = bool(compiled.positiontup)
        self._wanted = [
            (name, into, None)
            if binds[name].required
            else (name, None, into(compiled.params[name]))
            for name in compiled.positiontup or binds
            for into in [_into(binds[name].type, dialect) or _same]
        ]
        columns = statement.exported_columns
        # Its fields are known only here, which mypy does not allow for.
        kind: Any = namedtuple("Row", [*columns.keys()])  # type: ignore[misc]
        self._make = kind._make
        self._changes = [
            (at, change)
            for at, column in enumerate(columns.values())
            if (change := _out_of(column.type, dialect))
        ]

    def given(self, values: Values) -> Any:
        """The driver's parameters."""
        if self._is_positional:
            return [fixed if to is None else to(values[name]) for name, to, fixed in self._wanted]
        return {name: fixed if to is None else to(values[name]) for name, to, fixed in self._wanted}

    def row(self, found: Sequence[Any]) -> Any:
        """A row of the driver's as a named tuple of Python's own types."""
        row = list(found)
        for at, change in self._changes:
            row[at] = change(row[at])
        return self._make(row)


def _same(value: Any) -> Any:
    return value


def _into(kind: TypeEngine[Any], dialect: Dialect) -> Change | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _out_of(kind: TypeEngine[Any], dialect: Dialect) -> Change | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _told(connection: Connection, sql: str, error: Any) -> Any:
    """The driver's error as SQLAlchemy tells of it; a lost connection is given up as there."""
    is_lost = connection.dialect.is_disconnect(error, connection.connection.driver_connection, None)
    told = DBAPIError.instance(
        sql,
        None,
        error,
        connection.dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=connection.dialect,
    )
    if is_lost:
        connection.invalidate(error)
    return told
