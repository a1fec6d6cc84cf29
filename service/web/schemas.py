"""What comes in and goes out over HTTP, as marshmallow schemas; lengths in code points."""

import re
from contextlib import suppress
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Any, ClassVar

import marshmallow as ma
from marshmallow import fields, validate

from service import addresses
from service.intake import NewReport
from service.models import TITLE_LIMIT, AnchorState, Category, State
from service.record.stages import Stage
from service.web import problems
from service.web.bodies import Part, Sent

_EMAIL = re.compile(r"[^\s@<>,;:\"\\()\[\]]+@[^\s@<>,;:\"\\()\[\]]+")
_LANG = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*\Z")
MAX_POSITION = 2**31 - 1


def is_storable(text: str) -> bool:
    """Whether a database can hold it: PostgreSQL refuses NUL, nobody can encode a surrogate."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def storable(value: str) -> None:
    """Raise ValidationError where a text has NUL or half of a surrogate pair."""
    if not is_storable(value):
        raise ma.ValidationError("Has a character that cannot be stored.")


def _address(value: str) -> None:
    try:
        addresses.split(value)
    except addresses.BadAddress as error:
        raise ma.ValidationError(f"The address {error}.") from None


class Text(fields.String):
    """A string with a cap in code points that a database can hold."""

    def __init__(self, cap: int, *more: Any, minimum: int = 0, **options: Any) -> None:
        self.cap, self.minimum, self.more = cap, minimum, more
        checks = [storable, validate.Length(min=minimum, max=cap), *more]
        super().__init__(validate=checks, **options)

    def deserialize(self, value: Any, *given: Any, **options: Any) -> Any:
        """The text itself where it is right; raises ValidationError with all that is wrong."""
        if isinstance(value, str) and self._fits(value):
            for check in self.more:
                check(value)
            return value
        return super().deserialize(value, *given, **options)

    def _fits(self, value: str) -> bool:
        return self.minimum <= len(value) <= self.cap and is_storable(value)


class Address(Text):
    """An http or https URL."""

    def __init__(self, **options: Any) -> None:
        super().__init__(addresses.URL_LIMIT, _address, **options)


class PageAddress(Address):
    """The address of a page as its browser has it."""

    def deserialize(self, value: Any, *given: Any, **options: Any) -> Any:
        """The address, all of it encoded; raises ValidationError."""
        encoded = addresses.from_browser(value) if isinstance(value, str) else value
        return super().deserialize(encoded, *given, **options)


class Email(Text):
    """An e-mail address, or nothing."""

    def deserialize(self, value: Any, *given: Any, **options: Any) -> Any:
        """The address or what stands for none; raises ValidationError."""
        text = super().deserialize(value, *given, **options)
        if text and not _EMAIL.fullmatch(text):
            raise ma.ValidationError("This is not an e-mail address.")
        return text


class Position(fields.Integer):
    """A place in a text, in code points."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(min=0, max=MAX_POSITION), **options)

    def deserialize(self, value: Any, *given: Any, **options: Any) -> Any:
        """The number itself where it is one; raises ValidationError."""
        if type(value) is int and 0 <= value <= MAX_POSITION:
            return value
        return super().deserialize(value, *given, **options)


class Instant(fields.AwareDateTime):
    """A date and time with its zone, far enough from the calendar's ends to be told in any."""

    def _deserialize(self, value: Any, *given: Any, **options: Any) -> datetime:
        found = super()._deserialize(value, *given, **options)
        if not MINYEAR < found.year < MAXYEAR:
            raise ma.ValidationError("The year is out of range.")
        return found.astimezone(UTC)


class Choice(fields.Enum[Any]):
    """One of several, by its value."""

    def deserialize(self, value: Any, *given: Any, **options: Any) -> Any:
        """The one of this value; raises ValidationError where there is none."""
        known = self.enum._value2member_map_.get(value) if isinstance(value, str) else None
        return known or super().deserialize(value, *given, **options)


class Trap(fields.String):
    """A field that people do not see: whatever is in it, nobody is told that it is wrong."""

    def deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        """Whether something was filled in, as a word or none."""
        return "filled" if value and value is not ma.missing else ""


class Kind(fields.Constant[str]):
    """What kind of thing it is, which is known by then."""

    def deserialize(self, value: Any, *given: Any, **options: Any) -> Any:
        """The kind; raises ValidationError where none is told."""
        if isinstance(value, str):
            return self.constant
        return super().deserialize(value, *given, **options)


class TextQuoteSelector(Sent):
    """A W3C TextQuoteSelector."""

    type = Kind("TextQuoteSelector", required=True)
    exact = Text(500, minimum=1, required=True)
    prefix = Text(128, load_default="")
    suffix = Text(128, load_default="")


class TextPositionSelector(Sent):
    """A W3C TextPositionSelector; positions in code points of the article's text."""

    type = Kind("TextPositionSelector", required=True)
    start = Position(required=True)
    end = Position(required=True)

    def make(self, loaded: dict[str, Any]) -> dict[str, Any]:
        """The same, in order; raises ValidationError."""
        if loaded["end"] < loaded["start"]:
            raise ma.ValidationError("The end lies before the start.", "end")
        return loaded


class Selector(fields.Field[dict[str, Any]]):
    """One of the two selectors, told apart by `type`."""

    KINDS: ClassVar[dict[str, Sent]] = {
        "TextQuoteSelector": TextQuoteSelector(),
        "TextPositionSelector": TextPositionSelector(),
    }

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dict[str, Any]:
        loaded: dict[str, Any] = self.schema_of(value).load(value)
        return loaded

    @classmethod
    def schema_of(cls, value: Any) -> Sent:
        """The schema of its kind; raises ValidationError where it is of none."""
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in cls.KINDS:
            raise ma.ValidationError(
                {"type": ["Must be TextQuoteSelector or TextPositionSelector."]}
            )
        return cls.KINDS[kind]


class Selectors(fields.List[dict[str, Any]]):
    """A quote, a place, or both."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Selector(), validate=[validate.Length(max=2), _one_quote], **options)

    def deserialize(self, value: Any, *given: Any, **options: Any) -> Any:
        """What is selected; raises ValidationError with all that is wrong."""
        if isinstance(value, list) and len(value) <= 2:
            with suppress(ma.ValidationError):
                taken: list[dict[str, Any]] = [Selector.schema_of(it).take(it) for it in value]
                _one_quote(taken)
                return taken
        return super().deserialize(value, *given, **options)


def _one_quote(selectors: list[dict[str, Any]]) -> None:
    kinds = [selector["type"] for selector in selectors]
    if kinds.count("TextQuoteSelector") != 1 or kinds.count("TextPositionSelector") > 1:
        raise ma.ValidationError(
            "Send exactly one TextQuoteSelector and at most one TextPositionSelector."
        )


class Target(Sent):
    """Which page, and where on it."""

    source = PageAddress(required=True)
    canonical = Text(addresses.URL_LIMIT, load_default=None, allow_none=True)
    title = Text(TITLE_LIMIT, load_default=None, allow_none=True)
    lang = Text(35, validate.Regexp(_LANG), load_default=None, allow_none=True)
    selector = Selectors(load_default=None)
    revision = Text(
        8,
        validate.Regexp(r"[0-9a-f]{0,8}\Z"),
        load_default=None,
        allow_none=True,
        metadata={"description": "Adler-32 of the article's text that the reader saw, in hex."},
    )


class ReportIn(Sent):
    """What a reader sends."""

    target = Part(Target, required=True)
    suggestion = Text(1000, load_default=None, allow_none=True)
    comment = Text(2000, load_default=None, allow_none=True)
    category = Choice(Category, by_value=True, load_default=None, allow_none=True)
    email = Email(254, load_default=None, allow_none=True)
    website = Trap(load_default="", allow_none=True)
    seconds = fields.Float(
        load_default=None,
        allow_none=True,
        allow_nan=False,
        validate=validate.Range(min=0),
        metadata={"description": "How long the form was open; very few count towards spam."},
    )
    altcha = Text(
        2000,
        load_default=None,
        allow_none=True,
        metadata={"description": "The solution of a challenge that was asked for, in Base64."},
    )

    def make(self, loaded: dict[str, Any]) -> NewReport:
        """The report, with its two selectors as plain fields."""
        target = loaded["target"]
        found = {selector["type"]: selector for selector in target["selector"] or []}
        quote = found.get("TextQuoteSelector", {})
        position = found.get("TextPositionSelector", {})
        comment = (loaded["comment"] or "").strip()
        return NewReport(
            source=target["source"],
            canonical=target["canonical"],
            title=target["title"],
            lang=target["lang"],
            revision=target["revision"] or None,
            exact=quote.get("exact"),
            prefix=quote.get("prefix", ""),
            suffix=quote.get("suffix", ""),
            start=position.get("start"),
            end=position.get("end"),
            suggestion=loaded["suggestion"],
            comment=comment or None,
            category=loaded["category"],
            email=loaded["email"] or None,
            website=loaded["website"] or "",
            seconds=loaded["seconds"],
            altcha=loaded["altcha"] or None,
        )


class ReportKey(Sent):
    """The header that makes sending again safe."""

    idempotency_key = fields.String(
        required=True,
        data_key="Idempotency-Key",
        validate=validate.Regexp(r"[!-~]{1,255}\Z", error="1 to 255 visible ASCII characters."),
        metadata={
            "description": "Any unique text; the same key and body again give the same answer."
        },
    )

    class Meta:
        """Other headers are none of our business."""

        unknown = ma.EXCLUDE


class ReportOut(ma.Schema):
    """The answer to a report that is kept."""

    id = fields.UUID(required=True)
    correction_id = fields.UUID(required=True)
    receipt_url = fields.URL(required=True)
    already_reported = fields.Integer(
        required=True, metadata={"description": "Earlier reports of the same passage."}
    )
    already_fixed = fields.Boolean(
        metadata={"description": "There, and true, where the article has been corrected since."}
    )


class ReceiptQuery(ma.Schema):
    """How a receipt is told."""

    locale = Text(35, load_default="", metadata={"description": "Of `title` and `detail`."})


class ReceiptOut(ma.Schema):
    """What became of a report, for the reader who sent it."""

    state = fields.Enum(State, by_value=True, required=True)
    stage = fields.Enum(Stage, by_value=True, required=True)
    title = fields.String(required=True, metadata={"description": "The stage in words."})
    detail = fields.String(required=True)
    locale = fields.String(required=True, metadata={"description": "BCP 47"})
    public_note = fields.String(required=True, allow_none=True)
    record_url = fields.URL(
        required=True, allow_none=True, metadata={"description": "Its entry in the record."}
    )
    mail = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(["asked", "agreed"]),
        metadata={"description": "Whether the reader was asked to confirm an address, or has."},
    )
    article = fields.Dict(required=True)
    exact = fields.String(required=True, allow_none=True)
    suggestion = fields.String(required=True, allow_none=True)
    comment = fields.String(required=True, allow_none=True)
    created_at = fields.String(required=True)
    updated_at = fields.String(required=True)


class WidgetQuery(ma.Schema):
    """What the widget says of the page it is on."""

    locale = Text(35, load_default="")
    url = Text(
        addresses.URL_LIMIT,
        load_default="",
        metadata={"description": "Of a page with a place for its corrections."},
    )
    support = fields.Boolean(
        load_default=False, metadata={"description": "Whether the page has a place for asks."}
    )


class WidgetOut(ma.Schema):
    """Everything the widget needs to open."""

    locale = fields.String(required=True, metadata={"description": "BCP 47"})
    dir = fields.String(required=True, validate=validate.OneOf(["ltr", "rtl"]))
    strings = fields.Dict(required=True)
    limits = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    links = fields.Dict(required=True)
    article_selector = fields.String(required=True, allow_none=True)
    campaign = fields.Dict(required=True, allow_none=True)
    support = fields.Dict(
        metadata={
            "description": "Asks under the thanks (with `support` all asks and the appeal) and the "
            "rule for quoting; only where the site has any of these."
        }
    )
    corrections = fields.Dict(
        metadata={"description": "Published corrections of the article `url`, if it has some."}
    )


class ProblemOut(ma.Schema):
    """A refusal (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.List(
        fields.Nested(
            ma.Schema.from_dict(
                {"pointer": fields.String(), "detail": fields.String()}, name="FieldProblem"
            )
        )
    )


TOO_MANY: dict[str, Any] = {
    "schema": ProblemOut,
    "content_type": problems.MEDIA_TYPE,
    "description": "Too many at once from one network; try again later.",
    "headers": {
        "Retry-After": {"description": "In so many seconds.", "schema": {"type": "integer"}}
    },
}
"""How a limited endpoint tells of its limit."""


class AnchorOut(ma.Schema):
    """Where the passage is in the newest text that is known."""

    state = fields.Enum(AnchorState, by_value=True)
    start = fields.Integer(allow_none=True)
    end = fields.Integer(allow_none=True)
