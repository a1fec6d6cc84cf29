import pytest

from service import addresses
from service.addresses import BadAddress

HOSTS = ["https://news.example", "http://127.0.0.1:8000"]

BAD = [
    "",
    "news.example/a",
    "//news.example/a",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://news.example/",
    "blob:https://news.example/1",
    "https://",
    "https:///a",
    "https://me@news.example/",
    "https://a:b@news.example/",
    "https://news.example@evil.example/",
    "https://news.example\\@evil.example/",
    "https://news.example/<script>",
    'https://news.example/"onclick="x',
    "https://news.example/\u202egnp.exe",
    "https://news.example/a\u200bb",
    "https://news.example/a b",
    "https://news.example/\x00",
    "https://news.example/\r\nSet-Cookie: a=b",
    " https://news.example/",
    "https://news.example/`x`",
    "https://news.example:99999/",
    "https://[::1",
    "https://news.example:port/",
    "https://news..example/",
    "https://news.example/{x}",
    "https://news.example/\ufeff",
    "https://news.example/\ud800",
    "https://ｎews.example/",
    f"https://{'я' * 64}.example/",
]


@pytest.mark.parametrize("url", BAD)
def test_unsafe_address_is_refused(url: str) -> None:
    assert not addresses.is_safe(url)
    with pytest.raises(BadAddress):
        addresses.canonical(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://news.example/" + "a" * 2048, "is longer than 2048 characters"),
        ("https://[::1", "is not an address"),
    ],
)
def test_refusal_goes_on_from_the_address(url: str, said: str) -> None:
    with pytest.raises(BadAddress, match=f"^{said}$"):
        addresses.split(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example",
        "http://127.0.0.1:8000/a",
        "https://[2001:db8::1]:8443/",
        "https://новини.укр/стаття?розділ=1#місце",
        "https://news.example/a%20b?x=%3Cy%3E",
    ],
)
def test_safe_address_is_taken(url: str) -> None:
    assert addresses.is_safe(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://News.Example:443/A/b?utm_source=x&id=5&fbclid=1#top",
            "https://news.example/A/b?id=5",
        ),
        ("http://news.example:80", "http://news.example/"),
        ("https://news.example/?gclid=1&UTM_medium=y", "https://news.example/"),
        ("https://news.example:8443/a?b=1&b=2&c=", "https://news.example:8443/a?b=1&b=2&c="),
        ("https://news.example/a?utmost=1", "https://news.example/a?utmost=1"),
        # As browsers have them in `location.href`.
        ("https://news.example/a|b?c={1|2}", "https://news.example/a%7Cb?c=%7B1%7C2%7D"),
        ("https://news.example/?a=`^\\", "https://news.example/?a=%60%5E%5C"),
        # As content systems have them, and as browsers do.
        (
            "https://news.example/новини/т",
            "https://news.example/%D0%BD%D0%BE%D0%B2%D0%B8%D0%BD%D0%B8/%D1%82",
        ),
        ("https://news.example/%d1%82?т=%d1%82", "https://news.example/%D1%82?%D1%82=%D1%82"),
        ("https://news.example/%7ea%2fb", "https://news.example/%7Ea%2Fb"),
        ("https://Новини.укр/", "https://xn--b1amarcd.xn--j1amh/"),
    ],
)
def test_canonical_address(url: str, expected: str) -> None:
    assert addresses.canonical(url) == expected
    assert addresses.canonical(expected) == expected


def test_address_that_is_too_long_once_encoded_is_refused() -> None:
    with pytest.raises(BadAddress):
        addresses.canonical(f"https://news.example/{'я' * 400}")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://news.example/%D1%82/a%20b%2F", "https://news.example/т/a%20b%2F"),
        ("https://news.example/%D1", "https://news.example/%D1"),
        ("https://news.example/%E2%80%AEa", "https://news.example/%E2%80%AEa"),
    ],
)
def test_address_is_readable(url: str, expected: str) -> None:
    assert addresses.readable(url) == expected


@pytest.mark.parametrize(
    ("source", "given", "expected"),
    [
        ("https://news.example/a?utm_x=1", "https://news.example/b", "https://news.example/b"),
        ("https://news.example/a?utm_x=1", None, "https://news.example/a"),
        ("https://news.example/a", "https://evil.example/b", "https://news.example/a"),
        ("https://news.example/a", "javascript:alert(1)", "https://news.example/a"),
        ("http://127.0.0.1:8000/demo", "", "http://127.0.0.1:8000/demo"),
    ],
)
def test_article_is_known_by_its_canonical_address(
    source: str, given: str | None, expected: str
) -> None:
    assert addresses.article_address(source, given, HOSTS) == expected


def test_site_is_the_same_by_its_name_in_letters() -> None:
    expected = "https://xn--b1amarcd.xn--j1amh/a"
    for source in ("https://новини.укр/a", expected):
        assert addresses.article_address(source, None, ["https://новини.укр"]) == expected


@pytest.mark.parametrize("canonical", [None, "https://news.example/a"])
@pytest.mark.parametrize(
    "source",
    ["https://evil.example/a", "https://news.example.evil.example/", "https://sub.news.example/"],
)
def test_article_of_a_foreign_host_is_refused(source: str, canonical: str | None) -> None:
    with pytest.raises(BadAddress):
        addresses.article_address(source, canonical, HOSTS)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://News.example/", "https://news.example"),
        ("http://a.example:8080", "http://a.example:8080"),
        ("https://a.example:443", "https://a.example"),
        ("https://новини.укр", "https://xn--b1amarcd.xn--j1amh"),
        ("https://faß.example:8443", "https://xn--fa-hia.example:8443"),
    ],
)
def test_origin(url: str, expected: str) -> None:
    assert addresses.origin(url) == expected


@pytest.mark.parametrize(
    "url",
    ["https://news.example/path", "https://news.example?x", "null", "*", "https://*.news.example"],
)
def test_origin_has_no_path_and_no_wildcard(url: str) -> None:
    with pytest.raises(BadAddress):
        addresses.origin(url)


@pytest.mark.parametrize(
    ("url", "section"),
    [
        ("https://news.example/sport/a-story", "sport"),
        ("https://news.example/%D0%BC%D1%96%D1%81%D1%82%D0%BE/a", "місто"),
        ("https://news.example/a-story", None),
        ("https://news.example/sport/", None),
        ("https://news.example/", None),
        (f"https://news.example/{'s' * 200}/a", "s" * 100),
        ("https://news.example/a%00b/c", None),
    ],
)
def test_section_is_the_first_folder(url: str, section: str | None) -> None:
    assert addresses.section_of(url) == section
