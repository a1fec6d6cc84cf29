import json
import re
from pathlib import Path

import pytest

from service.text.html import BLOCKS, PRESERVED, SKIPPED, article_text

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests/vectors/text-rule.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_text_rule(vector: dict[str, str]) -> None:
    assert article_text(vector["html"], vector.get("selector")) == vector["text"]


def test_vectors_are_many_and_named_once() -> None:
    names = [vector["name"] for vector in VECTORS]
    assert len(set(names)) == len(names) >= 150


@pytest.mark.parametrize(
    ("constant", "names"), [("SKIPPED", SKIPPED), ("BLOCKS", BLOCKS), ("PRESERVED", PRESERVED)]
)
def test_element_names_are_the_same_in_typescript_and_in_the_document(
    constant: str, names: frozenset[str]
) -> None:
    script = (ROOT / "widget/src/text.ts").read_text()
    listed = re.search(rf"const {constant} =\s*/\^\(([^\n]*)\)\$/;", script)
    assert listed is not None
    expanded = listed[1].replace("h[1-6]", "h1|h2|h3|h4|h5|h6").split("|")
    assert sorted(expanded) == sorted([*names, "corrigenda-.+"] if names is SKIPPED else names)

    rule = (ROOT / "docs/text-rule.md").read_text()
    written = re.search(rf"<!-- {constant} -->\n(.*?)\n\n", rule, re.DOTALL)
    assert written is not None
    assert sorted(re.findall(r"`([a-z0-9]+)`", written[1])) == sorted(names)


def test_lone_surrogate_counts_as_replacement_character() -> None:
    assert article_text("<p>a\ud800b\udfffc</p>") == "a\ufffdb\ufffdc"


def test_nul_in_the_source_is_dropped_by_the_parser() -> None:
    assert article_text("<p>a\0b</p>") == "ab"


def test_byte_order_mark_before_the_document_is_dropped() -> None:
    assert article_text("\ufeff<p>a</p>") == "a"


def test_nesting_deeper_than_python_recursion() -> None:
    assert article_text("<div>" * 50_000 + "a" + "</div>" * 50_000 + "b") == "a\n\nb"


def test_empty_source() -> None:
    assert article_text("") == ""
