"""A reader's report as `load/report.lua` makes it, for what runs without wrk."""

import json
import random
import uuid

ORIGIN = "https://news.example"
_FILLER = "The river rose above the old bridge on Tuesday morning. " * 8


def body() -> bytes:
    """A report of about 1 kB: one of 40 passages of one of 5,000 articles."""
    article, passage = random.randint(1, 5_000), random.randint(10, 49)
    url = f"{ORIGIN}/{article}/the-river"
    quote = {
        "type": "TextQuoteSelector",
        "exact": f"brigde {passage}",
        "prefix": _FILLER[:64],
        "suffix": _FILLER[64:128],
    }
    place = {"type": "TextPositionSelector", "start": passage * 100, "end": passage * 100 + 9}
    report = {
        "target": {
            "source": url,
            "canonical": url,
            "title": "The river rose above the bridge",
            "lang": "en",
            "selector": [quote, place],
        },
        "suggestion": f"bridge {passage}",
        "comment": f"{uuid.uuid4().hex} {_FILLER[:300]}",
        "category": "typo",
    }
    return json.dumps(report).encode()
