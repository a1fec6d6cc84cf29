import csv
import io
import json
import re
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.db import Database
from service.desk import moves
from service.desk.exports import FORMATS, reading, tables
from service.desk.filters import Filters
from service.desk.moves import By, Decision
from service.models import Category, Site, State
from tests.conftest import ORIGIN
from tests.reporting import report

EVERYTHING = Filters(suspected=None)
SIGNS = "=+-@\t\r\n\x00＝＋－＠"


def exported(database: Database, site: Site, ending: str, filters: Filters = EVERYTHING) -> str:
    return "".join(FORMATS[ending].parts(database, site.id, filters))


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def as_it_was(cell: str) -> str:
    """What docs/cli.md tells readers of the table to do."""
    return re.sub(rf"(^|[;\t\r\n])'(?='*[{re.escape(SIGNS)}])", r"\1", cell)


@given(st.text(alphabet=st.sampled_from(f"{SIGNS}';,\"aж ")) | st.text())
@example("=1+1")
@example("'=1+1")
@example("a\n=1")
@example("a;''=1")
def test_cell_is_no_formula_and_comes_back_as_it_was(text: str) -> None:
    cell = tables.plain(text)
    assert re.search(rf"(^|[;\t\r\n])[{re.escape(SIGNS)}]", cell) is None
    assert as_it_was(cell) == text


@pytest.fixture
def words(database: Database, site: Site, other_site: Site, now: datetime) -> UUID:
    """A correction with two reports and a decision, full of what breaks lines and tables."""
    found = report(
        database, site, now, exact="=wrold", prefix="a\u2028b ", comment='say "x";\n-y\x85',
        category=Category.TYPO, email="reader@mail.example", suggestion="=world",
    )  # fmt: skip
    report(database, site, now, exact="=wrold", prefix="a\u2028b ", suggestion="", lang="uk")
    decision = Decision(State.REJECTED, "@home", "", "+1")
    with database.write() as session:
        moves.decide(session, site.id, found, decision, by=By("editor@news.example"), now=now)
    report(database, other_site, now)
    return found


def test_table_has_a_row_for_each_correction(database: Database, site: Site, words: UUID) -> None:
    text = exported(database, site, "csv")
    head, row = csv.reader(io.StringIO(text, newline=""))
    assert tuple(head) == tables.COLUMNS
    at = "2026-03-01T12:00:00.000Z"
    assert dict(zip(head, map(as_it_was, row), strict=True)) == {
        "id": str(words), "state": "rejected", "suspected": "no", "url": f"{ORIGIN}/a",
        "title": "The bus is late", "language": "en", "category": "typo", "prefix": "a\u2028b ",
        "exact": "=wrold", "suffix": " text", "suggestion": "=world", "other_suggestions": "",
        "wording": "", "comments": 'say "x";\n-y\x85', "report_count": "2", "assignee": "",
        "anchor": "exact", "duplicate_of": "", "public_note": "+1", "created_at": at,
        "updated_at": at, "first_decided_at": at, "fixed_at": "", "closed_at": at,
    }  # fmt: skip
    assert '"\'=wrold"' in text
    assert text.count("\r\n") == 2


def test_annotation_says_body_target_and_the_rest(
    database: Database, site: Site, words: UUID
) -> None:
    [found] = lines(exported(database, site, "jsonl"))
    at = "2026-03-01T12:00:00.000Z"
    rest = found.pop("corrigenda")
    selector = [
        {"type": "TextQuoteSelector", "exact": "=wrold", "prefix": "a\u2028b ", "suffix": " text"},
        {"type": "TextPositionSelector", "start": 6, "end": 12},
    ]
    textual = {"type": "TextualBody", "format": "text/plain"}
    assert found == {
        "@context": [
            "http://www.w3.org/ns/anno.jsonld",
            {"corrigenda": {"@id": "urn:corrigenda:correction", "@type": "@json"}},
        ],
        "id": f"urn:uuid:{words}",
        "type": "Annotation",
        "motivation": "editing",
        "created": at,
        "modified": at,
        "target": {"source": f"{ORIGIN}/a", "selector": selector},
        "body": [
            {**textual, "purpose": "editing", "value": "=world", "language": "en"},
            {**textual, "purpose": "editing", "value": "", "language": "en"},
            {**textual, "purpose": "commenting", "value": 'say "x";\n-y\x85'},
            {**textual, "purpose": "tagging", "value": "typo"},
        ],
    }
    first, second = rest.pop("reports")
    assert (first["suggestion"], first["comment"], first["selector"]) == (
        "=world", 'say "x";\n-y\x85', selector,
    )  # fmt: skip
    assert (second["suggestion"], second["comment"], second["lang"]) == ("", None, "uk")
    with database.read() as session:
        [move] = moves.history(session, words)
    assert rest.pop("moves") == [
        {
            "id": str(move.id),
            "from": "new",
            "to": "rejected",
            "by": "editor@news.example",
            "reason": "@home",
            "undoes": None,
            "at": at,
            "before": {
                "wording": {"was": None, "now": ""},
                "public_note": {"was": None, "now": "+1"},
            },
        }
    ]
    assert rest == {
        "state": "rejected", "suspected": False, "version": 3,
        "article": {"title": "The bus is late", "lang": "en"}, "category": "typo", "wording": "",
        "public_note": "+1", "assignee": None, "duplicate_of": None,
        "anchor": {"state": "exact", "start": 6, "end": 12}, "first_decided_at": at,
        "decided_at": at, "fixed_at": None, "closed_at": at, "publication": None,
    }  # fmt: skip


def test_reports_about_a_whole_page_have_no_selector(
    database: Database, site: Site, now: datetime
) -> None:
    report(database, site, now, exact=None, start=None, suggestion=None, comment="The map is old")
    [found] = lines(exported(database, site, "jsonl"))
    assert found["target"] == {"source": f"{ORIGIN}/a"}
    [row] = csv.DictReader(io.StringIO(exported(database, site, "csv"), newline=""))
    assert (row["exact"], row["comments"]) == ("", "The map is old")


def test_addresses_of_readers_stay(database: Database, site: Site, words: UUID) -> None:
    for ending in FORMATS:
        assert "reader@mail.example" not in exported(database, site, ending)


def test_batches_hold_each_correction_once_in_their_order(
    database: Database, site: Site, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    made = [
        report(database, site, now, exact=f"word {number}", start=None, website="x" * (number == 3))
        for number in range(5)
    ]
    sizes: list[int] = []
    parts = FORMATS["jsonl"].parts(database, site.id, EVERYTHING, sizes.append)
    assert [line["id"] for line in lines("".join(parts))] == [f"urn:uuid:{each}" for each in made]
    assert sizes == [2, 2, 1]
    believed = lines(exported(database, site, "jsonl", Filters()))
    assert [line["id"] for line in believed] == [
        f"urn:uuid:{each}" for number, each in enumerate(made) if number != 3
    ]


def test_site_without_corrections_gives_a_table_without_rows(
    database: Database, site: Site
) -> None:
    assert exported(database, site, "csv") == tables.HEAD
    assert exported(database, site, "jsonl") == ""
