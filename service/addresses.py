"""Web addresses: which are safe to link to, what an origin is, one address for one article."""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import SplitResult, quote, unquote, urlsplit

URL_LIMIT = 2048
LABEL_LIMIT = 63

_UNSAFE = re.compile(
    '[\x00-\x20\x7f-\xa0\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff\\\\<>"`{}|^]'
)
_LEFT_IN_PATHS, _LEFT_IN_QUERIES = re.compile(r"\|"), re.compile(r"[\\^`{|}]")
_SPELT_FREELY = re.compile(r"%[0-9A-Fa-f]{2}|[^\x00-\x7f]+")
_LETTERS = re.compile(r"(?:%[89A-F][0-9A-F])+")
_TRACKING = re.compile(r"utm_.*|fbclid|gclid", re.IGNORECASE | re.ASCII)
_HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.?|\[[0-9a-f:.]+\]", re.IGNORECASE)


class BadAddress(ValueError):
    """The text is not an http or https address that may be linked to."""


# One report asks five times about one or two addresses.
@lru_cache(maxsize=256)
def split(url: str) -> SplitResult:
    """Parse an absolute http or https URL (RFC 3986).

    Raises BadAddress on other schemes, user information, controls, spaces, invisible or
    direction-changing characters, and on more than 2,048 code points.
    """
    if len(url) > URL_LIMIT:
        raise BadAddress(f"is longer than {URL_LIMIT} characters")
    if _UNSAFE.search(url):
        raise BadAddress("has characters that do not belong in an address")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadAddress("is not an address") from None
    if parts.scheme not in {"http", "https"}:
        raise BadAddress("must begin with http:// or https://")
    if "@" in parts.netloc:
        raise BadAddress("must not carry a user name")
    host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.rstrip(":")
    if not parts.hostname or not _HOST.fullmatch(host):
        raise BadAddress("has no valid host")
    in_ascii(parts.hostname)
    return parts


def in_ascii(host: str) -> str:
    """The host as browsers have it (IDNA 2008, RFC 5891: ß and ς stay); raises BadAddress."""
    return host if host.isascii() else ".".join(map(_label, host.split(".")))


def _label(label: str) -> str:
    if label.isascii():
        return label
    composed = unicodedata.normalize("NFC", label)
    if len(composed) > LABEL_LIMIT:
        # It would only get longer, and encoding takes the square of the time.
        raise BadAddress("has no valid host")
    made = f"xn--{composed.encode('punycode').decode()}"
    if len(made) > LABEL_LIMIT or not unicodedata.is_normalized("NFKC", composed):
        raise BadAddress("has no valid host")
    return made


def is_safe(url: str) -> bool:
    """Whether the URL may stand in a link."""
    try:
        split(url)
    except BadAddress:
        return False
    return True


def origin_of(parts: SplitResult) -> str:
    """The origin (RFC 6454) in lower case, its host in ASCII, default ports dropped."""
    host = in_ascii((parts.hostname or "").lower())
    host = f"[{host}]" if ":" in host else host
    standard = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in {None, standard} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def origin(url: str) -> str:
    """The origin of a URL that has nothing after it but `/`; raises BadAddress."""
    parts = split(url)
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise BadAddress("an origin has no path: https://news.example")
    return origin_of(parts)


@lru_cache(maxsize=256)
def host_of(url: str) -> str:
    """The host in lower case and in ASCII; raises BadAddress."""
    return in_ascii(split(url).hostname or "")


@lru_cache(maxsize=256)
def from_browser(url: str) -> str:
    """The address, encoded where browsers leave (WHATWG URL) what RFC 3986 does not have."""
    path, mark, query = url.partition("?")
    return _encoded(path, _LEFT_IN_PATHS) + mark + _encoded(query, _LEFT_IN_QUERIES)


def _encoded(part: str, left: re.Pattern[str]) -> str:
    return left.sub(lambda found: f"%{ord(found[0]):02X}", part)


@lru_cache(maxsize=256)
def canonical(url: str) -> str:
    """One address for one article: no fragment, no tracking parameters, host in lower case.

    What is not ASCII is encoded, in capitals (RFC 3986, 6.2.2.1); raises BadAddress.
    """
    parts = split(from_browser(url))
    kept = [pair for pair in parts.query.split("&") if pair and not _is_tracking(pair)]
    made = parts._replace(
        netloc=origin_of(parts).partition("://")[2],
        path=spelt(parts.path) or "/",
        query=spelt("&".join(kept)),
        fragment="",
    ).geturl()
    if len(made) > URL_LIMIT:
        raise BadAddress(f"longer than {URL_LIMIT} characters, percent-encoded")
    return made


def spelt(part: str) -> str:
    """A part of an address in the one spelling that canonical addresses have."""
    return _SPELT_FREELY.sub(lambda found: quote(found[0], safe="%").upper(), part)


def readable(url: str) -> str:
    """A canonical address for people to read: letters instead of their codes, where they show."""
    return _LETTERS.sub(_letters, url)


def _letters(found: re.Match[str]) -> str:
    try:
        letters = unquote(found[0], errors="strict")
    except UnicodeDecodeError:
        return found[0]
    return letters if letters.isprintable() else found[0]


def _is_tracking(pair: str) -> bool:
    return _TRACKING.fullmatch(pair.partition("=")[0]) is not None


def article_address(source: str, canonical_url: str | None, origins: list[str]) -> str:
    """The article's address: its canonical URL, else the source where that one is foreign.

    Raises BadAddress when the source's host is not one of the site's.
    """
    hosts = {host_of(allowed) for allowed in origins}
    if host_of(from_browser(source)) not in hosts:
        raise BadAddress("is not on one of this site's hosts")
    named = from_browser(canonical_url or "")
    if named and is_safe(named) and host_of(named) in hosts:
        return canonical(named)
    return canonical(source)


def section_of(url: str) -> str | None:
    """The first folder of an article's address, which most newsrooms name after its section."""
    encoded, _, rest = urlsplit(url).path.lstrip("/").partition("/")
    folder = unquote(encoded).strip()
    return folder[:100] if rest and folder.isprintable() and folder else None
