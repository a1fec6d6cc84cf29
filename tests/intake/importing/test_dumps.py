import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.intake.importing import dumps
from service.intake.importing.finds import BadRow

COLUMNS = ("ID", "text")


def read(sql: str) -> list[Any]:
    return [
        (row.line, str(row)) if isinstance(row, BadRow) else (row[0], *row[1].values())
        for row in dumps.rows(io.StringIO(sql, newline=""), "our_table", COLUMNS)
    ]


def quoted(text: str) -> str:
    """As mysqldump writes it."""
    signs = {"\\": "\\", "\0": "0", "\n": "n", "\r": "r", "'": "'", '"': '"', "\x1a": "Z"}
    for sign, letter in signs.items():
        text = text.replace(sign, f"\\{letter}")
    return f"'{text}'"


@given(st.lists(st.text(), min_size=1))
def test_texts_come_back_as_they_were(texts: list[str]) -> None:
    values = ",".join(f"({number},{quoted(text)})" for number, text in enumerate(texts))
    assert [row[2] for row in read(f"INSERT INTO `our_table` VALUES {values};")] == texts


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO our_table VALUES (1,'a');",
        "INSERT INTO `wp_our_table` (`ID`, `text`) VALUES\n(1, 'a')\n;",
        "insert ignore into db.`x_our_table` (text, ID) values ('a', 1) on duplicate key update ID=1;",
        "REPLACE INTO `our_table` VALUES (1,_utf8mb4'a');",
        'INSERT INTO our_table VALUES (1,"a")',
        "CREATE TABLE `our_table` (`text` text, `ID` int(3) DEFAULT '1,2', PRIMARY KEY (`ID`));\n"
        "INSERT INTO our_table VALUES ('a',1);",
        "-- INSERT INTO our_table VALUES (2,'b');\n/* ; ' */ # it's\nINSERT INTO our_table VALUES (1,'a');",
        "INSERT INTO posts VALUES (1,'; INSERT INTO our_table VALUES (2,\\'b\\');');"
        "INSERT INTO our_table VALUES (1,'a');",
    ],
)
def test_rows_are_found_in_what_programs_write(statement: str) -> None:
    [row] = dumps.rows(io.StringIO(statement), "our_table", COLUMNS)
    assert not isinstance(row, BadRow)
    assert row[1] == {"ID": "1", "text": "a"}


def test_lines_are_those_in_which_rows_begin() -> None:
    sql = "-- head\n\nINSERT INTO our_table VALUES (1,'a\nb'),\n(2,NULL),(3,''),\n  (4);\n"
    assert read(sql) == [
        (3, "1", "a\nb"),
        (5, "2", None),
        (5, "3", ""),
        (6, "1 values for 2 columns"),
    ]


@pytest.mark.parametrize(
    ("sql", "line", "reason"),
    [
        ("INSERT INTO our_table VALUES (1,'a'),\n(2,'b", 2, "a quote or comment is never closed"),
        ("INSERT INTO our_table VALUES (1,'a'),\n(2,", 2, "the file ends within a statement"),
        ("INSERT INTO our_table VALUES (1,'a'),\n(2,);", 2, "a value is missing"),
        ("INSERT INTO our_table VALUES (1,'a'),\n(2,(3));", 2, "( is no value"),
        ("INSERT INTO our_table VALUES (1,'a');\nINSERT INTO our_table SELECT 1;", 2, "rows are expected here"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_and_the_rest_is_read(sql: str, line: int, reason: str) -> None:
    assert read(sql) == [(1, "1", "a"), (line, reason)]
    after = "\nINSERT INTO our_table VALUES (5,'e');"
    if not sql.endswith(("'b", ",")):
        assert read(sql + after)[-1] == (line + 1, "5", "e")


def test_pieces_that_end_anywhere_give_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    sql = "/* x */ INSERT INTO our_table VALUES (1,'a''b\\'c'), (2,-5.2e+3); -- end\n"
    whole = read(sql)
    for size in range(1, 30):
        monkeypatch.setattr(dumps, "CHUNK", size)
        assert read(sql) == whole


@pytest.mark.parametrize("end", ["SET a = 'b", "/* no end", "SET a = b; `c", "DROP 'x"])
def test_quote_that_is_never_closed_is_told_wherever_it_stands(end: str) -> None:
    told = "a quote or comment is never closed"
    assert read(f"INSERT INTO our_table VALUES (1,'a');\n{end}") == [(1, "1", "a"), (2, told)]
