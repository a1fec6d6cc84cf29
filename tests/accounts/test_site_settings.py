import pytest

from service.accounts.site_settings import checked
from service.errors import InvalidFields

NO_TAG = "This is not a language tag, as in en or zh-Hans."
NO_TAGS = "These are not language tags, as in en or zh-Hans."
NO_SELECTOR = "This is not a CSS selector of at most 500 characters."


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("language", "en"),
        ("language", "zh-Hans"),
        ("language", "sl-rozaj-biske-1994"),
        ("language", "x-whatever"),
        ("languages", []),
        ("languages", ["uk-UA", "en"]),
        ("article_selector", None),
        ("article_selector", "[itemprop='articleBody' i]"),
        ("article_selector", "main > .entry-content:not(.a, .b), article:has(p)"),
        ("article_selector", "." + "a" * 499),
    ],
)
def test_setting_is_kept(field: str, value: object) -> None:
    assert checked({field: value}) == {field: value}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("language", "", NO_TAG),
        ("language", "xx-invalid-yyyyyyyyyyyyyyy", NO_TAG),
        ("language", "en_US", NO_TAG),
        ("language", "en-", NO_TAG),
        ("languages", ["en", "deutschland"], NO_TAGS),
        ("article_selector", "(((", NO_SELECTOR),
        ("article_selector", "..entry", NO_SELECTOR),
        ("article_selector", "main,", NO_SELECTOR),
        ("article_selector", "." + "a" * 500, NO_SELECTOR),
    ],
)
def test_setting_is_refused_by_name(field: str, value: object, said: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        checked({field: value})
    assert refused.value.errors == [{"pointer": f"/{field}", "detail": said}]
