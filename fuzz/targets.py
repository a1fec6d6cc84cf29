"""The targets: each takes bytes, and raises where a promise about them does not hold."""

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import marshmallow as ma
from atheris import FuzzedDataProvider

from service import addresses
from service.dispatch import guard
from service.errors import Refusal
from service.intake import NewReport
from service.intake.importing import BadRow, Found, annotations, mistape
from service.models import Site
from service.text import Selector, article_text, locate, normalise, same_passage, word_diff
from service.web.bodies import parse
from service.web.corrections import ChangesIn, MoveIn
from service.web.forms import place
from service.web.schemas import ReportIn
from service.web.webhooks import WebhookIn

LONGEST = 4096
LIMIT = 500


def _text(data: FuzzedDataProvider, most: int) -> str:
    # Lone surrogates are refused before any text gets that far.
    text: str = data.ConsumeUnicodeNoSurrogates(data.ConsumeIntInRange(0, most))
    return text


def selectors(raw: bytes) -> None:
    """A passage is found inside the text or nowhere."""
    data = FuzzedDataProvider(raw)
    text = _text(data, LONGEST)
    start = data.ConsumeIntInRange(0, LONGEST) if data.ConsumeBool() else None
    cut = data.ConsumeIntInRange(0, LONGEST)
    exact = text[cut : cut + 40] if data.ConsumeBool() else _text(data, 200)
    if not exact:
        return
    one = Selector(exact, _text(data, 128), _text(data, 128), start, start and start + len(exact))
    anchor = locate(one, text, [_text(data, 50)])
    if anchor.state == "orphaned":
        assert (anchor.start, anchor.end) == (None, None)
    else:
        assert anchor.start is not None
        assert anchor.end is not None
        assert 0 <= anchor.start <= anchor.end <= len(text)
    if anchor.state in {"exact", "moved"}:
        assert text[anchor.start : anchor.end] == exact
    assert same_passage(one, one)


def html(raw: bytes) -> None:
    """Any markup gives a text, the same each time, without white space at its ends."""
    data = FuzzedDataProvider(raw)
    source = data.ConsumeUnicode(LONGEST)
    text = article_text(source, _text(data, 20) or None)
    text.encode()
    assert article_text(source) == article_text(source)


def words(raw: bytes) -> None:
    """A diff's pieces put together are both texts; normalising twice is normalising once."""
    data = FuzzedDataProvider(raw)
    before, after = _text(data, LIMIT), _text(data, LIMIT)
    pieces = word_diff(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "insert") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "delete") == after
    assert normalise(normalise(before)) == normalise(before)


def bodies(raw: bytes) -> None:
    """A body is loaded or refused; what is loaded can be stored and hashed."""
    data = FuzzedDataProvider(raw)
    schema: ma.Schema = data.PickValueInList([ReportIn(), MoveIn(), ChangesIn(), WebhookIn()])
    try:
        loaded: Any = schema.load(parse(data.ConsumeBytes(LONGEST)))
        if isinstance(loaded, NewReport):
            loaded.check(LIMIT)
            loaded.body_hash()
    except (Refusal, ma.ValidationError) as refused:
        json.dumps(str(refused))


def links(raw: bytes) -> None:
    """An address is safe or refused; a canonical one stays as it is; `next` never leads away."""
    data = FuzzedDataProvider(raw)
    given = _text(data, 300)
    if addresses.is_safe(given):
        found = addresses.canonical(given)
        assert found.startswith(("http://", "https://"))
        assert addresses.canonical(found) == found
    with contextlib.suppress(guard.NotAllowed):
        guard.parse(given)
    path = place(given)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert path.isprintable()


SITE = Site(key="a", name="A", origins=["https://news.example"], time_zone="Europe/Kyiv")

DUMP = (
    "INSERT INTO `wp_mistape_reports` (`ID`, `selection`, `url`, `date_gmt`, `comment`) VALUES\n"
    "(1, 'wrold', 'https://news.example/a', '2026-01-02 03:04:05', 'It\\'s ''so''');"
)
TABLE = (
    "ID,selection,url,date_gmt,comment\n"
    '1,wrold,https://news.example/a,2026-01-02 03:04:05,"a, ""b"\n'
)
LINE = json.dumps(
    {
        "id": "urn:uuid:01890000-0000-7000-8000-000000000000",
        "created": "2026-01-02T03:04:05.678Z",
        "modified": "2026-01-02T03:04:05.678Z",
        "target": {
            "source": "https://news.example/a",
            "selector": [{"type": "TextQuoteSelector", "exact": "wrold"}],
        },
        "corrigenda": {
            "state": "new",
            "article": {},
            "anchor": {"state": "exact", "start": 0, "end": 5},
            "reports": [
                {
                    "id": "01890000-0000-7000-8000-000000000001",
                    "source": "https://news.example/a",
                    "created_at": "2026-01-02T03:04:05.678Z",
                    "spam": {"score": 0, "reasons": []},
                }
            ],
            "moves": [],
        },
    }
)


def _bent(data: FuzzedDataProvider, sample: str) -> str:
    """A good file, a piece of which is replaced."""
    at = data.ConsumeIntInRange(0, len(sample))
    gone = data.ConsumeIntInRange(0, 40)
    return sample[:at] + str(data.ConsumeUnicode(LONGEST)) + sample[at + gone :]


def _read(data: FuzzedDataProvider) -> Iterator[Found | BadRow]:
    kind = data.PickValueInList(["line", "dump", "table"])
    if kind == "line":
        return annotations.read(SITE, io.BytesIO(_bent(data, LINE).encode(errors="surrogatepass")))
    sample = DUMP if kind == "dump" else TABLE
    return mistape.read(SITE, io.StringIO(_bent(data, sample), newline=""))


def imports(raw: bytes) -> None:
    """Any file is read to its end as finds and bad rows with lines; finds can be stored."""
    for row in _read(FuzzedDataProvider(raw)):
        if isinstance(row, BadRow):
            assert row.line > 0
            continue
        assert addresses.is_safe(row.url)
        for columns in (row.correction, *(sent.columns for sent in row.reports)):
            for value in columns.values():
                if isinstance(value, str):
                    # PostgreSQL refuses NUL, and nobody can encode half of a surrogate pair.
                    assert "\0" not in value
                    value.encode()


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (selectors, html, words, bodies, links, imports)
}
