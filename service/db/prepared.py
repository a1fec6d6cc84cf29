"""Statements of the busiest path: compiled once, run by the driver with no layer between."""

import json
import re
from collections import namedtuple
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
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
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from service.db.schema import Base, UtcDateTime

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
Values = Mapping[str, Any]
Change = Callable[[Any], Any]
Asking = Session | Connection

_SIZES = (32, 16, *range(8, 0, -1))
"""So many values or rows share a statement."""

_NAMED = re.compile(r"%\((\w+)\)s(?:::(\w+(?: WITH TIME ZONE)?))?")
"""A parameter as PostgreSQL's driver has it: its name, and its type."""


def connection_of(session: Asking) -> Connection:
    """The connection of the session's transaction; what the session holds back is written first."""
    if isinstance(session, Connection):
        return session
    session.flush()
    # A session in another's transaction makes a savepoint once it is asked for its connection.
    return session.bind if isinstance(session.bind, Connection) else session.connection()


def inserting(session: Asking, table: type[Base]) -> Any:
    """An insert in the database's dialect, which can say what to do where a row is there."""
    bind = session if isinstance(session, Connection) else session.get_bind()
    return _INSERTS[bind.dialect.name](table)


def among(ids: Any, name: str, dialect: str) -> ColumnElement[bool]:
    """Whether a column's id is one of a list's, which is one parameter however long it is."""
    listed = bindparam(name, type_=_Ids)
    if dialect == "postgresql":
        made: ColumnElement[bool] = ids == any_(cast(listed, postgresql.ARRAY(Uuid)))
        return made
    chosen: ColumnElement[bool] = ids.in_(select(func.json_each(listed).table_valued("value")))
    return chosen


def at_most(number: int) -> ColumnElement[int]:
    """A limit, written out: SQLite plans a statement anew for each one that is bound."""
    return literal_column(str(number))


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

    def all(self, session: Asking, values: Values) -> list[Any]:
        """The rows, as named tuples."""
        return self.all_for(session, [values])[0]

    def one(self, session: Asking, values: Values) -> Any:
        """The only row there can be; None without one."""
        return self.one_for(session, [values])[0]

    def all_for(self, session: Asking, wanted: Sequence[Values]) -> list[list[Any]]:
        """For each of these values its rows; many share a statement.

        Each one lets the other threads run, and waits until they let go; PostgreSQL is asked over a
        network.
        """
        connection = connection_of(session)
        compiled = self._for(connection.dialect)
        given = [compiled.given(values) for values in wanted]
        parts = _parts(given) if compiled.is_positional else [given]
        return [rows for part in parts for rows in _united(connection, compiled, part)]

    def one_for(self, session: Asking, wanted: Sequence[Values]) -> list[Any]:
        """For each of these values the only row there can be; None without one."""
        return [next(iter(rows), None) for rows in self.all_for(session, wanted)]

    def run(self, session: Asking, *rows: Values) -> int:
        """Execute for each of these rows; how many it changed."""
        if not rows:
            return 0
        connection = connection_of(session)
        compiled = self._for(connection.dialect)
        is_postgresql = connection.dialect.name == "postgresql"
        if is_postgresql and self._listed:
            rows = ({name: [row[name] for row in rows] for name in self._listed},)
        given = [compiled.given(row) for row in rows]
        if not is_postgresql and len(given) > 1 and compiled.takes_many:
            return sum(_written(connection, compiled, part) for part in _parts(given))
        with _cursor(connection, compiled.sql) as cursor:
            if len(given) == 1:
                cursor.execute(compiled.sql, given[0])
            elif is_postgresql and self._copied:
                # A third of the time that as many statements take, here and there.
                columns = ", ".join(f'"{name}"' for name in self._copied)
                with cursor.copy(f"COPY {self._table} ({columns}) FROM STDIN") as copy:
                    for row in given:
                        copy.write_row([row[name] for name in self._copied])
            else:
                cursor.executemany(compiled.sql, given)
            return int(cursor.rowcount)

    def _for(self, dialect: Dialect) -> "_Compiled":
        if dialect.name not in self._compiled:
            statement = self._statement
            made = statement(dialect.name) if callable(statement) else statement
            self._compiled[dialect.name] = _Compiled(made, dialect)
        return self._compiled[dialect.name]


def _parts(given: list[Any]) -> Iterator[list[Any]]:
    """These in parts of few sizes, so that few statements are made: up to eight, else 16 or 32."""
    at = 0
    while at < len(given):
        left = len(given) - at
        size = next(size for size in _SIZES if size <= left)
        yield given[at : at + size]
        at += size


@contextmanager
def _cursor(connection: Connection, sql: str) -> Iterator[Any]:
    """A cursor of the driver's, whose errors are told as SQLAlchemy tells them."""
    cursor = connection.connection.cursor()
    try:
        yield cursor
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, error) from error
    finally:
        cursor.close()


def _rows(connection: Connection, compiled: "_Compiled", given: Any) -> list[Any]:
    with _cursor(connection, compiled.sql) as cursor:
        cursor.execute(compiled.sql, given)
        return [compiled.row(row) for row in cursor.fetchall()]


def _united(connection: Connection, compiled: "_Compiled", given: Sequence[Any]) -> list[list[Any]]:
    """The rows for each of these parameters, by one statement."""
    if len(given) == 1:
        return [_rows(connection, compiled, given[0])]
    found: list[list[Any]] = [[] for _ in given]
    sql = compiled.united(len(given))
    with _cursor(connection, sql) as cursor:
        cursor.execute(sql, compiled.together(given))
        for number, *row in cursor.fetchall():
            found[number].append(compiled.row(row))
    return found


def _written(
    connection: Connection, compiled: "_Compiled", given: Sequence[tuple[Any, ...]]
) -> int:
    """Insert all of these rows by one statement; how many there were to insert."""
    sql = compiled.many(len(given))
    with _cursor(connection, sql) as cursor:
        cursor.execute(sql, compiled.together(given))
        return int(cursor.rowcount)


class _Compiled:
    """One statement in one dialect: its text, and how values go in and out."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        names = list(compiled.positiontup or binds)
        self.is_positional = compiled.positional
        self._names = names
        into = [_into(binds[name].type, dialect) for name in names]
        self._fixed = {
            name: change(compiled.params[name]) if change else compiled.params[name]
            for name, change in zip(names, into, strict=True)
            if not binds[name].required
        }
        self._pick = _picker(names)
        self._into = [
            (at, change)
            for at, (name, change) in enumerate(zip(names, into, strict=True))
            if change and name not in self._fixed
        ]
        columns = statement.exported_columns
        # Its fields are known only here, which mypy does not allow for.
        kind: Any = namedtuple("Row", [*columns.keys()])  # type: ignore[misc]
        self._make = kind._make
        self._out = [
            (at, change)
            for at, column in enumerate(columns.values())
            if (change := _out_of(column.type, dialect))
        ]
        self._row = f"({', '.join('?' * len(names))})"
        self.takes_many = statement.is_insert and f"VALUES {self._row}" in self.sql
        """Whether it inserts rows that can be more than one."""
        self.united = cache(self._unite if self.is_positional else self._unnest)
        self.many = cache(self._repeat)

    def given(self, values: Values) -> Any:
        """The driver's parameters."""
        picked = [*self._pick({**values, **self._fixed} if self._fixed else values)]
        for at, change in self._into:
            picked[at] = change(picked[at])
        return picked if self.is_positional else dict(zip(self._names, picked, strict=True))

    def together(self, given: Sequence[Any]) -> Any:
        """The driver's parameters for what `united` or `many` has made."""
        if self.is_positional:
            return [*chain.from_iterable(given)]
        return {name: [each[name] for each in given] for name in self._names}

    def row(self, found: Sequence[Any]) -> Any:
        """A row of the driver's as a named tuple of Python's own types."""
        row = list(found)
        for at, change in self._out:
            row[at] = change(row[at])
        return self._make(row)

    def _unite(self, count: int) -> str:
        """The text that asks for so many parameters at once; each row begins with which of them."""
        each = f"told.* FROM ({self.sql}) AS told"
        return " UNION ALL ".join(f"SELECT {number}, {each}" for number in range(count))

    def _unnest(self, _count: int) -> str:
        """The same for PostgreSQL, which takes lists: one text, and one plan, for any number."""
        # Of all that parameters are, truth alone is written without its type.
        types = {name: kind or "BOOLEAN" for name, kind in _NAMED.findall(self.sql)}
        lists = ", ".join(f"%({name})s::{kind}[]" for name, kind in types.items())
        names = ", ".join(f'"{name}"' for name in types)
        # With OFFSET it is asked for each, and not planned as a join with a whole table.
        each = "* FROM ({}) AS one OFFSET 0".format(_NAMED.sub(r'given."\1"', self.sql))
        rows = f"told.* FROM unnest({lists}) WITH ORDINALITY AS given({names}, number)"
        return f"SELECT given.number - 1, {rows}, LATERAL (SELECT {each}) AS told"

    def _repeat(self, count: int) -> str:
        """The text that inserts so many rows."""
        return self.sql.replace(f"VALUES {self._row}", f"VALUES {', '.join([self._row] * count)}")


def _picker(names: Sequence[str]) -> Callable[[Values], tuple[Any, ...]]:
    """Takes these values out, in this order."""
    if len(names) == 1:
        return lambda values: (values[names[0]],)
    return itemgetter(*names) if names else lambda _: ()


def _into(kind: TypeEngine[Any], dialect: Dialect) -> Change | None:
    change: Change | None = kind.dialect_impl(dialect).bind_processor(dialect)
    if change and isinstance(kind, UtcDateTime):
        return _instants(dialect)
    return _once(change) if change and isinstance(kind, JSON) else change


@lru_cache(maxsize=4)
def _instants(dialect: Dialect) -> Change:
    """How instants go in: one goes into many rows, and into many columns of many tables."""
    change: Any = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    return lru_cache(maxsize=256)(change)


def _once(change: Change) -> Change:
    """Changes what one row after the other has but once."""
    known: tuple[Any, Any] = (None, None)

    def changed(value: Any) -> Any:
        nonlocal known
        last = known
        if value is None or value is not last[0]:
            last = known = value, change(value)
        return last[1]

    return changed


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
