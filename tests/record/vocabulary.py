"""JSON-LD checked against what schema.org says of the terms that are used."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from service import addresses

VOCABULARY = json.loads((Path(__file__).parent / "schema_org.json").read_text())


def ancestry(kind: str) -> list[str]:
    """A type and everything that it is one of."""
    found = [kind]
    while parent := VOCABULARY["types"][found[-1]]:
        found.append(parent)
    return found


def _is(value: Any, wanted: str) -> bool:
    if isinstance(value, dict):
        return wanted in ancestry(value["@type"])
    match wanted:
        case "Text":
            return isinstance(value, str)
        case "URL":
            return isinstance(value, str) and addresses.is_safe(value)
        case "DateTime":
            return datetime.fromisoformat(value).tzinfo is not None
    return False


def check(node: dict[str, Any]) -> list[str]:
    """What the vocabulary does not allow in a node and in those inside."""
    wrong = []
    for name, given in node.items():
        if name.startswith("@"):
            continue
        domains, ranges = VOCABULARY["properties"][name]
        if not set(domains) & set(ancestry(node["@type"])):
            wrong.append(f"{node['@type']} has no {name}")
        for value in given if isinstance(given, list) else [given]:
            if not any(_is(value, wanted) for wanted in ranges):
                wrong.append(f"{name} is none of {ranges}: {value!r}")
            if isinstance(value, dict):
                wrong += check(value)
    return wrong
