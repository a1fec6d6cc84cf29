import re
from pathlib import Path
from typing import Any

import pytest
from babel import Locale

from service import catalogues
from service.models import Kind, Site

LOCALES = ["ar", "de", "en", "es", "fr", "he", "it", "ja", "pl", "pt", "ru", "uk", "zh-hans"]
SERVICE = Path(catalogues.__file__).parent


def groups(locale: str) -> dict[str, dict[str, Any]]:
    return {
        name: texts
        for name, texts in catalogues.every()[locale].items()
        if not name.startswith("_")
    }


ENGLISH = groups("en")


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text)) - {"n"}


def test_languages_are_the_promised_ones() -> None:
    assert sorted(catalogues.every()) == LOCALES


@pytest.mark.parametrize("locale", LOCALES)
def test_language_has_every_group_and_name_of_english_in_its_order(locale: str) -> None:
    assert [(group, list(texts)) for group, texts in groups(locale).items()] == [
        (group, list(texts)) for group, texts in ENGLISH.items()
    ]


@pytest.mark.parametrize("locale", LOCALES)
def test_language_has_every_plural_form_and_value_of_each_text(locale: str) -> None:
    forms = {*Locale.parse(locale, sep="-").plural_form.tags, "other"}
    for group, texts in groups(locale).items():
        for name, words in texts.items():
            english = ENGLISH[group][name]
            where = f"{locale} {group}.{name}"
            assert type(words) is type(english), where
            if isinstance(words, str):
                assert words.strip(), where
                assert placeholders(words) == placeholders(english), where
                assert ("{n}" in words) == ("{n}" in english), where
            else:
                assert set(words) == forms, where
                assert "{n}" in words["other"], where
                for form in words.values():
                    assert placeholders(form) == placeholders(english["other"]), where


def test_every_text_of_the_other_groups_is_named_in_the_server() -> None:
    sources = "".join(
        file.read_text(encoding="utf-8")
        for file in SERVICE.rglob("*")
        if file.suffix in {".py", ".html", ".txt", ".xml"}
    )
    unnamed = [
        f"{group}.{name}"
        for group, texts in ENGLISH.items()
        if group != "widget"
        for name in texts
        if not re.search(rf"['\"]{name}['\"]", sources) and name not in set(Kind)
    ]
    assert unnamed == []


@pytest.mark.parametrize(
    ("locale", "number", "expected"),
    [
        ("en", 1, "Reported 1 time before."),
        ("en", 1200, "Reported 1,200 times before."),
        ("uk", 21, "Раніше про це повідомили 21 раз."),
        ("uk", 3, "Раніше про це повідомили 3 рази."),
        ("uk", 12, "Раніше про це повідомили 12 разів."),
        ("ar", 2, "أُبلغ عنه مرتين من قبل."),
        ("zh-CN", 5, "此前已有5次报告。"),
        ("tlh", 1, "Reported 1 time before."),
    ],
)
def test_texts_choose_the_plural_form(locale: str, number: int, expected: str) -> None:
    assert catalogues.texts("widget", locale)("already", number) == expected


def test_texts_put_values_in_once() -> None:
    said = catalogues.Texts("en", {"hello": "{who} met {whom}"})
    assert said("hello", who="{whom}", whom="a reader") == "{whom} met a reader"


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("uk", "Цей запис відкликано 27 листопада 2026 р."),
        ("ru", "Эта запись отозвана 27 ноября 2026 г."),
        ("en", "This entry was withdrawn on November 27, 2026."),
    ],
)
def test_texts_end_with_one_full_stop(locale: str, expected: str) -> None:
    texts = catalogues.texts("record", locale)
    said = texts("withdrawn", date=texts.date("2026-11-27T12:00:00+00:00"))
    assert said.replace("\u202f", " ").replace("\xa0", " ") == expected


def test_texts_refuse_a_name_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        catalogues.texts("widget", "en")("haiku")


@pytest.mark.parametrize(
    ("languages", "wanted", "expected"),
    [
        ([], "uk", "uk"),
        ([], "sv", "de"),
        (["de", "uk-UA"], "uk", "uk"),
        (["de", "uk"], "fr", "de"),
        (["de", "zh-Hans"], "zh-CN", "zh-hans"),
        (["de", "pt-BR"], "pt", "pt"),
        (["sv"], "uk", "de"),
    ],
)
def test_readers_are_spoken_to_in_the_languages_of_the_site(
    site: Site, languages: list[str], wanted: str, expected: str
) -> None:
    site.language, site.languages = "de", languages
    assert catalogues.spoken("widget", site, wanted).locale == expected
