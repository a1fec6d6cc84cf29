"""Rows of one table out of a MySQL dump, read piece by piece (mysqldump, phpMyAdmin, WP-CLI)."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TextIO

from service.intake.importing.finds import BadRow

CHUNK = 1 << 20
LONGEST = 64 * CHUNK
"""A value or comment longer than this is taken for a quote that is never closed."""

Row = tuple[int, dict[str, str | None]]
"""The line it begins in, and its values by column."""

# Atomic: half of a text must not pass for a shorter one.
_TOKEN = re.compile(
    r"""(?P<space>\s+|--(?=\s)[^\n]*|\#[^\n]*|/\*.*?\*/)
    |(?P<text>'(?>(?:[^'\\]+|\\.|'')*)'|"(?>(?:[^"\\]+|\\.|"")*)")
    |(?P<name>`[^`]*`)
    |(?P<word>[\w$.+-]+)
    |(?P<mark>[^'"`/]|/(?!\*))""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)|''|\"\"", re.DOTALL)
_SIGNS = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_NO_COLUMNS = {"PRIMARY", "KEY", "UNIQUE", "INDEX", "CONSTRAINT", "FULLTEXT", "CHECK", "FOREIGN"}


class Token(NamedTuple):
    """A piece of SQL: `text`, `name`, `word` or `mark`, and the line it begins in."""

    kind: str
    text: str
    line: int


def rows(file: TextIO, table: str, columns: Sequence[str]) -> Iterator[Row | BadRow]:
    """The rows of the table whose name ends in `table`; what stands before is a blog's own choice.

    `columns` are those of a dump that names none. What cannot be read costs the rest of its
    statement.
    """
    tokens = _Tokens(file)
    while True:
        try:
            tokens.skip()
            if not tokens.begin():
                return
            verb = tokens.last.text.upper()
            if verb == "CREATE" and tokens.named().endswith(table):
                columns = tuple(_columns(tokens))
            elif verb in {"INSERT", "REPLACE"} and tokens.named().endswith(table):
                yield from _inserted(tokens, columns)
        except BadRow as bad:
            yield bad


def _columns(tokens: "_Tokens") -> Iterator[str]:
    """The names between the parenthesis just read and its end, each after it or a comma."""
    before, depth = "(", 1
    while depth:
        token = tokens.take()
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        is_first = before in {"(", ","} and depth == 1
        if is_first and token.kind in {"name", "word"} and token.text not in _NO_COLUMNS:
            yield token.text.strip("`")
        before = token.text


def _inserted(tokens: "_Tokens", columns: Sequence[str]) -> Iterator[Row | BadRow]:
    if tokens.last.text == "(":
        columns = tuple(_columns(tokens))
        tokens.take()
    if tokens.last.text.upper() not in {"VALUES", "VALUE"}:
        raise BadRow("rows are expected here", tokens.last.line)
    while tokens.take().text == "(":
        line = tokens.last.line
        values = list(_values(tokens))
        if len(values) == len(columns):
            yield line, dict(zip(columns, values, strict=True))
        else:
            yield BadRow(f"{len(values)} values for {len(columns)} columns", line)
        if not tokens.begin() or tokens.last.text != ",":
            return


def _values(tokens: "_Tokens") -> Iterator[str | None]:
    """The values up to the parenthesis that ends the row."""
    value: Token | None = None
    while True:
        token = tokens.take()
        if token.text in {",", ")"}:
            if value is None:
                raise BadRow("a value is missing", token.line)
            yield _value(value)
            value = None
            if token.text == ")":
                return
        elif token.kind in {"text", "word"}:
            # A word before a text says its character set: _utf8mb4'…'.
            value = token
        else:
            raise BadRow(f"{token.text} is no value", token.line)


def _value(token: Token) -> str | None:
    if token.kind == "text":
        return unescaped(token.text[1:-1], token.text[0])
    return None if token.text.upper() == "NULL" else token.text


def unescaped(text: str, quote: str = "") -> str:
    """What MySQL means by backslashes in a text, and by this quote twice."""

    def meant(found: re.Match[str]) -> str:
        if sign := found[1]:
            return _SIGNS.get(sign, sign)
        return quote if found[0][0] == quote else found[0]

    return _ESCAPE.sub(meant, text)


class _Tokens:
    """The tokens of a file, the one read last at hand."""

    def __init__(self, file: TextIO) -> None:
        self.source = _read(file)
        self.last = Token("mark", ";", 1)

    def begin(self) -> bool:
        """Go to the first token of a statement; whether there is one."""
        found = next(self.source, None)
        self.last = found or self.last
        return found is not None

    def take(self) -> Token:
        """The next token; raises BadRow at the end of the file."""
        if not self.begin():
            raise BadRow("the file ends within a statement", self.last.line)
        return self.last

    def named(self) -> str:
        """The last name before a parenthesis, the values or the statement's end."""
        name = ""
        while self.take().text.upper() not in {"(", ";", "VALUES", "VALUE", "SELECT", "SET"}:
            name = self.last.text.strip("`")
        return name

    def skip(self) -> None:
        """Go on to the statement's end."""
        while self.last.text != ";" and self.begin():
            pass


def _read(file: TextIO) -> Iterator[Token]:
    """All tokens but spaces and comments; raises BadRow where a quote is never closed."""
    buffer, at, line, is_whole = "", 0, 1, False
    while True:
        match = _TOKEN.match(buffer, at)
        # What reaches the end of what was read may go on in what comes.
        if not is_whole and (match is None or match.end() == len(buffer)):
            if len(buffer) - at > LONGEST:
                raise BadRow("a quote or comment is never closed", line)
            more = file.read(CHUNK)
            buffer, at, is_whole = buffer[at:] + more, 0, not more
            continue
        if match is None:
            if at < len(buffer):
                raise BadRow("a quote or comment is never closed", line)
            return
        kind = str(match.lastgroup)
        if kind != "space":
            yield Token(kind, match[0], line)
        if kind in {"space", "text"}:
            line += buffer.count("\n", at, match.end())
        at = match.end()
