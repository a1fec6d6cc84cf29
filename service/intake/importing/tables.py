"""Rows of a table as programs for MySQL write it: CSV with any separator, or `mysql --batch`."""

import csv
from collections.abc import Iterator, Sequence
from typing import TextIO

from service.intake.importing.dumps import Row, unescaped
from service.intake.importing.finds import BadRow

SEPARATORS = ",;\t"

_NOTHING = {"", "NULL", "\\N"}


def rows(file: TextIO, columns: Sequence[str], separator: str) -> Iterator[Row | BadRow]:
    """The rows below the head; a row that ends too soon or too late is a bad one."""
    is_batch = separator == "\t"
    # What mysql writes it quotes by backslashes, never by quotes.
    reader = csv.reader(
        file, delimiter=separator, quoting=csv.QUOTE_NONE if is_batch else csv.QUOTE_MINIMAL
    )
    while True:
        # The head was line 1; a row may go on over several lines.
        line = reader.line_num + 2
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield BadRow(str(error), line)
            continue
        if cells is None:
            return
        if not cells:
            continue
        if len(cells) != len(columns):
            yield BadRow(f"{len(cells)} values for {len(columns)} columns", line)
            continue
        yield (
            line,
            {
                name: None if cell in _NOTHING else unescaped(cell) if is_batch else cell
                for name, cell in zip(columns, cells, strict=True)
            },
        )


def head(line: str) -> tuple[list[str], str]:
    """The names in a table's first line, and by which sign they are separated."""
    separator = max(SEPARATORS, key=line.count)
    [names] = csv.reader([line], delimiter=separator)
    return [name.strip().strip("`") for name in names], separator
